/** All roles in one process: reads from top to bottom as the architecture. */
import { mkdirSync } from 'node:fs'
import { totalmem } from 'node:os'
import { resolve } from 'node:path'

import {
  createExecutionRoles,
  createFunctionCredentials,
  createPolicyAuthorisation,
  createRoleSession,
} from '#bin/authorisation.ts'
import { createBucket } from '#bin/bucket.ts'
import { createCluster } from '#bin/cluster.ts'
import { createLambdaControl } from '#bin/lambda-control.ts'
import { createDataPlane } from '#bin/data-plane.ts'
import { openDataKey, readDataKey } from '#bin/data-key.ts'
import { firstStart, nextSteps } from '#bin/first-start.ts'
import { createImageReaders } from '#bin/image-readers.ts'
import { createImageServices } from '#bin/images.ts'
import { createForeignServices } from '#bin/foreign-services.ts'
import { readFileSystems, readSubnets } from '#bin/host-mappings.ts'
import { listen } from '#bin/listener.ts'
import { agreeOnKey, openStore } from '#bin/open-store.ts'
import { createOwnPaths } from '#bin/own-paths.ts'
import { createNeighbourServices } from '#bin/services.ts'
import { BadSetting, readSettings, settingsHelp, type Settings } from '#bin/settings.ts'
import { onShutdown } from '#bin/shutdown.ts'
import { accessPointId } from '#contracts/file-system.ts'
import { networkOf } from '#contracts/network.ts'
import { createDocumentCache } from '#documents/create-document-cache.ts'
import { createEnvironmentVault } from '#contracts/environment-vault.ts'
import { createFilterVault } from '#contracts/filter-vault.ts'
import { createPackageKeys } from '#contracts/package-keys.ts'
import { systemClock as clock } from '#kernel/clock.ts'
import { systemRandom as random } from '#kernel/random.ts'
import { createSealer } from '#kernel/sealed.ts'
import { MIB } from '#kernel/units.ts'
import { createLogger } from '#observability/logger.ts'
import { createMetrics } from '#observability/metrics.ts'
import { createEventsService } from '#services/events/create-events-service.ts'
import { createLogsService } from '#services/logs/create-logs-service.ts'
import { createSchedulerService } from '#services/scheduler/create-scheduler-service.ts'
import { createSnsService } from '#services/sns/create-sns-service.ts'
import { createFunctionUrlDoor } from '#triggers/function-url/door.ts'
import { createUrlFinder } from '#triggers/function-url/find-url.ts'
import { createDoor, type DoorService } from '#wire/door.ts'
import { limitApiRates } from '#wire/limit-api-rates.ts'
import { createLocalCalls } from '#wire/local-calls.ts'
import { lambdaModel } from '#wire/models/lambda.ts'
import { eventsModel } from '#wire/models/events.ts'
import { logsModel } from '#wire/models/logs.ts'
import { schedulerModel } from '#wire/models/scheduler.ts'
import { snsModel } from '#wire/models/sns.ts'
import { sqsModel } from '#wire/models/sqs.ts'
import type { RequestHead } from '#wire/protocol.ts'
import { createVerifier } from '#wire/sigv4-verify.ts'

const DRAIN_MS = 5_000

async function serve(settings: Settings) {
  // Guests are users of their own and must be able to read what they are shown. What is private says so itself, and all of
  // it is below directories that only our user may enter.
  process.umask(0o022)
  const logger = createLogger({ level: settings['log-level'] as 'info', stream: process.stderr })
  const metrics = createMetrics()
  const data = resolve(settings.data)
  mkdirSync(data, { recursive: true, mode: 0o700 })

  const subnets = readSubnets(settings.subnets)
  const fileSystems = readFileSystems(settings['file-systems'])

  const listener = await listen({ host: settings.host, port: settings.port })
  const isShared = settings.store !== ''
  const store = await openStore({ url: settings.store, directory: data, clock, logger })
  const address = `${settings.host}:${listener.port}`
  const cluster = isShared ? createCluster({ store, address, clock, random, logger }) : undefined
  const documents = createDocumentCache({ meta: store.meta })
  const key = settings['data-key'] ? readDataKey(resolve(settings['data-key'])) : openDataKey(data)
  if (isShared) await agreeOnKey(store.meta, key)
  const sealer = createSealer(key)
  const logs = createLogsService({ storage: { directory: data }, clock, logger, metrics })

  const bucket = createBucket(settings, clock)
  const neighbours = createNeighbourServices({
    store,
    sealer,
    clock,
    random,
    logger,
    bucket,
    directory: data,
  })
  const { session, roleSessions, keys } = neighbours
  const environments = createEnvironmentVault({ sealer, keys })
  const filters = createFilterVault(keys)
  const packageKeys = createPackageKeys(keys)
  const authorisation =
    settings.auth === 'iam' ? createPolicyAuthorisation({ documents, clock, session }) : undefined
  const home = { account: settings.account, region: settings.region }
  const imageServices = await createImageServices({
    meta: store.meta,
    blobs: store.blobs,
    sealer,
    clock,
    random,
    logger,
    directory: data,
    port: listener.port,
    home,
    needsToken: settings.auth !== 'off',
    authorise: authorisation?.authorise,
    credentialsFile: settings['registry-credentials'],
  })
  const endpoint = `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${listener.port}`
  const foreign = createForeignServices(settings, [sqsModel, snsModel, eventsModel], clock)
  const calls = createLocalCalls({
    ...(authorisation && { authorise: authorisation.authorise }),
    roleSession: createRoleSession({ roles: authorisation }),
    foreign,
    endpoint,
    random,
    logger,
  })
  const topics = createSnsService({
    store,
    sealer,
    keys,
    calls,
    // Who checks no signatures trusts all that runs here.
    reachesLoopback: settings.auth === 'off',
    clock,
    random,
    logger,
    metrics,
  })

  const events = createEventsService({ store, calls, clock, random, logger, metrics })
  const scheduler = createSchedulerService({
    store,
    calls,
    modelOf: (name) => all.find(({ model }) => model.name === name)?.model,
    clock,
    random,
    logger,
    metrics,
  })

  const dataPlane = await createDataPlane({
    store,
    documents,
    keys,
    environments,
    packageKeys,
    filters,
    calls,
    putRecord: bucket && (({ body, ...object }, signal) => bucket.putJson(object, body, signal)),
    clock,
    random,
    logger,
    metrics,
    logSink: logs.sink,
    port: listener.port,
    acceptConnection: listener.accept,
    directory: data,
    images: imageServices.images,
    ...(cluster && { membership: cluster.membership }),
    resources: {
      networkOf: ({ vpc }) => networkOf(subnets, vpc?.subnetIds),
      directoryOf: (arn) => fileSystems.get(accessPointId(arn)),
    },
    ...(settings.auth !== 'off' && {
      credentials: createFunctionCredentials({ roleSessions, roles: authorisation, logger }),
    }),
    settings: {
      driver: settings.driver as 'auto',
      ociRuntime: settings['oci-runtime'],
      criu: settings.criu,
      network: settings.network as 'auto',
      accountConcurrency: settings.concurrency,
      maxMemoryMiB: settings['max-memory'] || Math.floor((totalmem() / MIB) * 0.75),
      poolMemoryMiB: settings['pool-memory'],
      idleMinutes: settings['idle-minutes'],
      queues: {
        url: settings['sqs-endpoint'],
        accessKeyId: settings['sqs-access-key-id'],
        secretAccessKey: settings['sqs-secret-access-key'],
      },
    },
  })
  const control = createLambdaControl({
    store,
    environments,
    filters,
    packageKeys,
    roles: authorisation && createExecutionRoles({ authorisation, foreign }),
    keyReaders: authorisation,
    imageReaders:
      settings.auth === 'off' ? undefined : createImageReaders({ home, port: listener.port, authorisation }),
    key,
    clock,
    random,
    logger,
    preparer: dataPlane.worker,
    images: imageServices.images,
    runningImages: () => dataPlane.worker.images(),
    pollers: dataPlane.pollers,
    capacity: dataPlane.managedInstances,
    hostResources: { subnets, hasFileSystem: (arn) => fileSystems.has(accessPointId(arn)) },
    directory: data,
    accountConcurrency: settings.concurrency,
    functionUrl: settings['function-url'],
    unusedCodeMs: settings['unused-code-seconds'] * 1000,
    bucket,
    isShared,
  })
  const roles = cluster?.share({ ...dataPlane.work, ...control.work }, async () => {
    await dataPlane.takeUp()
    await control.takeUp()
  })

  await cluster?.membership.start()
  await documents.start()
  await logs.start()
  await neighbours.start()
  await imageServices.start()
  await dataPlane.start()
  await control.start()
  await roles?.start()

  const owner = {
    secret: settings['secret-access-key'],
    account: settings.account,
    arn: `arn:aws:iam::${settings.account}:root`,
  }
  const credentials = (accessKeyId: string) =>
    accessKeyId === settings['access-key-id'] ? owner : neighbours.credentials(accessKeyId)
  const operations = { ...control.operations, ...dataPlane.operations }
  const others = [
    { model: logsModel, handlers: logs.handlers },
    { model: snsModel, handlers: topics.handlers },
    { model: eventsModel, handlers: events.handlers },
    { model: schedulerModel, handlers: scheduler.handlers },
    ...neighbours.services,
    imageServices.ecr,
  ]
  const all: readonly DoorService[] = [{ model: lambdaModel, handlers: operations }, ...others]
  calls.serve(all)
  await topics.start()
  await events.start()
  await scheduler.start()
  const door = createDoor({
    services: [
      {
        model: lambdaModel,
        handlers: settings['api-rates'] === 'aws' ? limitApiRates(operations, clock) : operations,
      },
      ...others,
    ],
    auth: {
      mode: settings.auth === 'off' ? 'off' : 'signature',
      credentials,
      ...(authorisation && { authorise: authorisation.authorise }),
    },
    account: settings.account,
    region: settings.region,
    clock,
    random,
    logger,
  })
  const ownPaths = createOwnPaths({
    health: () => ({
      status: 'ok',
      ...dataPlane.health(),
      ...(cluster && { nodes: cluster.membership.size, roles: roles?.held }),
    }),
    top: () => dataPlane.top(),
    metrics: () => metrics.render(),
    codeDownload: control.codeDownload,
  })
  const verifier = settings.auth === 'off' ? undefined : createVerifier({ credentials, clock })
  const urlDoor = createFunctionUrlDoor({
    frontend: dataPlane.frontend,
    find: createUrlFinder(documents),
    ...(authorisation && { mayUse: authorisation.mayUseUrl }),
    ...(verifier && { verify: (head: RequestHead) => verifier.begin(head, 'lambda') }),
    clock,
    random,
    logger,
  })
  listener.serve({
    door,
    ownPaths: (request, response) =>
      urlDoor(request, response) ||
      imageServices.registry(request, response) ||
      topics.publicDoor(request, response) ||
      ownPaths(request, response),
  })

  onShutdown(async (reason) => {
    logger.info('Stopping', { reason })
    listener.close()
    await roles?.drain(DRAIN_MS)
    await control.drain(DRAIN_MS)
    await scheduler.drain(DRAIN_MS)
    await events.drain(DRAIN_MS)
    await neighbours.drain(DRAIN_MS)
    await topics.drain(DRAIN_MS)
    await dataPlane.drain(DRAIN_MS)
    await roles?.stop()
    await scheduler.stop()
    await events.stop()
    await control.stop()
    await dataPlane.stop()
    await topics.stop()
    await logs.drain(DRAIN_MS)
    await logs.stop()
    authorisation?.stop()
    await imageServices.stop()
    await neighbours.stop()
    documents.stop()
    await cluster?.membership.stop()
    await store.close()
  })

  const later =
    settings.examples && !isShared
      ? await firstStart({
          endpoint,
          dataDirectory: data,
          region: settings.region,
          credentials: {
            accessKeyId: settings['access-key-id'],
            secretAccessKey: settings['secret-access-key'],
          },
          readyRuntimes: await dataPlane.readyRuntimes(),
        })
      : undefined
  process.stdout.write(`lambent ready on ${endpoint}\n`)
  if (process.stdout.isTTY || settings.examples) process.stdout.write(nextSteps(endpoint, 'npx lambent'))
  await later?.()
}

try {
  const settings = readSettings(process.argv.slice(2), process.env)
  if (settings) await serve(settings)
  else process.stdout.write(settingsHelp())
} catch (error) {
  process.stderr.write(
    `${error instanceof BadSetting ? `${error.message}\n\n${settingsHelp()}` : (error as Error).message}\n`,
  )
  if (process.env['LAMBENT_DEBUG']) process.stderr.write(`${(error as Error).stack}\n`)
  process.exit(error instanceof BadSetting ? 2 : 1)
}
