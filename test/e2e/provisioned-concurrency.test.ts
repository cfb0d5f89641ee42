/** Provisioned concurrency from the API to the environment: put, ready, used, spilled over, moved, failed, killed, deleted. */
// parity: PutProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig DeleteProvisionedConcurrencyConfig
// parity: ListProvisionedConcurrencyConfigs
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateAliasCommand,
  DeleteFunctionCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetProvisionedConcurrencyConfigCommand,
  ListProvisionedConcurrencyConfigsCommand,
  paginateListProvisionedConcurrencyConfigs,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionUpdatedV2,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import {
  createFunction,
  errorOf,
  eventually,
  invoke,
  lambdaClient,
  logMessages,
  logsClient,
  zipOf,
} from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

/** Says who it is and how it was initialised, after as long as it is asked to take. */
const source = (word: string) => ({
  'index.mjs': `
    const id = Math.random()
    export const handler = async ({ ms = 0, exit = false }) => {
      await new Promise((resolve) => setTimeout(resolve, ms))
      if (exit) process.exit(1)
      return { word: '${word}', id, type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE }
    }`,
})

interface Said {
  readonly word: string
  readonly id: number
  readonly type: string
}

const put = (lambda: LambdaClient, FunctionName: string, Qualifier: string, count: number) =>
  lambda.send(
    new PutProvisionedConcurrencyConfigCommand({
      FunctionName,
      Qualifier,
      ProvisionedConcurrentExecutions: count,
    }),
  )
const get = (lambda: LambdaClient, FunctionName: string, Qualifier: string) =>
  lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }))
const ready = (lambda: LambdaClient, name: string, qualifier: string, status = 'READY') =>
  eventually(`${name}:${qualifier} is ${status}`, async () => {
    const config = await get(lambda, name, qualifier)
    return config.Status === status ? config : undefined
  })
const ask = async (lambda: LambdaClient, name: string, Qualifier: string, event: object = {}) =>
  (await invoke(lambda, name, event, { Qualifier })).payload as Said
/** Publishes new code, with the next version's number. */
const publish = async (lambda: LambdaClient, FunctionName: string, files: Record<string, string>) => {
  const { Version } = await lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName, ZipFile: await zipOf(files), Publish: true }),
  )
  await waitUntilFunctionUpdatedV2(
    { client: lambda, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
    { FunctionName },
  )
  return Version ?? ''
}

describe('provisioned concurrency', () => {
  let program: Program
  let lambda: LambdaClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
  })
  after(() => program.stop())

  test('environments are initialised before anybody asks, used first, and others spill over', async () => {
    const name = 'spill'
    await createFunction(lambda, { FunctionName: name, files: source('one'), Timeout: 20 })
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    const answer = await put(lambda, name, '1', 2)
    assert.equal(answer.$metadata.httpStatusCode, 202)
    assert.deepEqual(
      [
        answer.Status,
        answer.AllocatedProvisionedConcurrentExecutions,
        answer.AvailableProvisionedConcurrentExecutions,
      ],
      ['IN_PROGRESS', 0, 0],
    )
    assert.match(answer.LastModified ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/)
    const config = await ready(lambda, name, '1')
    assert.deepEqual(
      [config.RequestedProvisionedConcurrentExecutions, config.AllocatedProvisionedConcurrentExecutions],
      [2, 2],
    )
    assert.equal(config.AvailableProvisionedConcurrentExecutions, 2)
    assert.equal(config.LastModified, answer.LastModified)

    const said = await Promise.all([1, 2, 3].map(() => ask(lambda, name, '1', { ms: 1500 })))
    const types = said.map(({ type }) => type).toSorted()
    assert.deepEqual(types, ['on-demand', 'provisioned-concurrency', 'provisioned-concurrency'])
    assert.equal(new Set(said.map(({ id }) => id)).size, 3)
    for (let n = 0; n < 3; n++) assert.equal((await ask(lambda, name, '1')).type, 'provisioned-concurrency')
    assert.equal((await ask(lambda, name, '$LATEST')).type, 'on-demand')
    const metrics = await (await fetch(`${program.endpoint}/_lambent/metrics`)).text()
    assert.match(metrics, /^lambent_provisioned_invocations_total 5$/m)
    assert.match(metrics, /^lambent_provisioned_spillover_invocations_total 1$/m)
    await eventually('the log has it', async () => {
      const lines = await logMessages(logsClient(program.endpoint), name)
      const reports = lines.filter((line) => line.startsWith('REPORT') && line.includes('Init Duration'))
      // Shown with the first invocation, billed by itself: of the four environments only on-demand ones pay there.
      const billed = reports.map((line) => {
        const ms = (field: string) => Number(new RegExp(`${field}: ([\\d.]+) ms`).exec(line)?.[1])
        return ms('\\tBilled Duration') - Math.ceil(ms('\\tDuration')) > 1
      })
      if (billed.length < 4) return undefined
      assert.deepEqual(billed.toSorted(), [false, false, true, true])
      return true
    })
  })

  test('what is provisioned is counted apart from what is not', async () => {
    const name = 'counted'
    await createFunction(lambda, { FunctionName: name, files: source('one'), Timeout: 20 })
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    const unreserved = async () =>
      (await lambda.send(new GetAccountSettingsCommand({}))).AccountLimit?.UnreservedConcurrentExecutions ?? 0
    const before = await unreserved()
    await put(lambda, name, '1', 1)
    assert.equal(await unreserved(), before - 1)
    await lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 1 }),
    )
    assert.equal(await unreserved(), before - 1)
    await ready(lambda, name, '1')
    // All of the reservation is provisioned: nothing is left for $LATEST, nor for a second invocation of the version.
    await assert.rejects(invoke(lambda, name, {}), {
      name: 'TooManyRequestsException',
      Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    })
    const first = ask(lambda, name, '1', { ms: 1500 })
    await new Promise((resolve) => setTimeout(resolve, 300))
    assert.equal((await errorOf(ask(lambda, name, '1'))).name, 'TooManyRequestsException')
    assert.equal((await first).type, 'provisioned-concurrency')
    assert.equal(
      (await errorOf(put(lambda, name, '1', 2))).message,
      'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
    )
    const refused = await errorOf(
      lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: name, ReservedConcurrentExecutions: 0 })),
    )
    assert.equal(
      refused.message,
      " ReservedConcurrentExecutions  0 should not be lower than function's total provisioned concurrency [1].",
    )
    await lambda.send(new DeleteFunctionCommand({ FunctionName: name }))
    assert.equal(await unreserved(), before)
  })

  test('they move with their alias, which serves the old version until the new one is ready', async () => {
    const name = 'moves'
    await createFunction(lambda, { FunctionName: name, files: source('one') })
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    const alias = { FunctionName: name, Name: 'live' }
    await lambda.send(new CreateAliasCommand({ ...alias, FunctionVersion: '1' }))
    await put(lambda, name, 'live', 1)
    await ready(lambda, name, 'live')
    const old = await ask(lambda, name, 'live')
    assert.deepEqual([old.word, old.type], ['one', 'provisioned-concurrency'])
    const slow = `await new Promise((resolve) => setTimeout(resolve, 2000))\n`
    const version = await publish(lambda, name, { 'index.mjs': slow + source('two')['index.mjs'] })
    const moved = await lambda.send(new UpdateAliasCommand({ ...alias, FunctionVersion: version }))
    assert.deepEqual(moved.RoutingConfig?.AdditionalVersionWeights, { 1: 1 })
    let answers = 0
    await eventually('the new version is served', async () => {
      const said = await ask(lambda, name, 'live')
      assert.equal(said.type, 'provisioned-concurrency', 'nobody waits for an environment in between')
      if (said.word === 'one') assert.equal(said.id, old.id)
      answers++
      return said.word === 'two' ? said : undefined
    })
    assert.ok(answers > 1)
    const arrived = await lambda.send(new GetAliasCommand(alias))
    assert.deepEqual([arrived.FunctionVersion, arrived.RoutingConfig], [version, undefined])
    await ready(lambda, name, 'live')
    await eventually('the old version is let go', async () => {
      const said = await ask(lambda, name, '1')
      return said.type === 'on-demand' ? said : undefined
    })
  })

  test('a weighted alias shares them between its versions', async () => {
    const name = 'weighted'
    await createFunction(lambda, { FunctionName: name, files: source('one') })
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    const alias = { FunctionName: name, Name: 'live' }
    await lambda.send(new CreateAliasCommand({ ...alias, FunctionVersion: '1' }))
    await put(lambda, name, 'live', 2)
    await ready(lambda, name, 'live')
    const version = await publish(lambda, name, source('two'))
    await lambda.send(
      new UpdateAliasCommand({ ...alias, RoutingConfig: { AdditionalVersionWeights: { [version]: 0.5 } } }),
    )
    await eventually('both versions are provisioned', async () => {
      const types = [await ask(lambda, name, '1'), await ask(lambda, name, version)].map(({ type }) => type)
      return types.every((type) => type === 'provisioned-concurrency') ? types : undefined
    })
    const shared = await ready(lambda, name, 'live')
    assert.equal(shared.AvailableProvisionedConcurrentExecutions, 2)
    assert.equal(
      (await errorOf(put(lambda, name, 'live', 3))).message,
      'Alias with weights can not be used with Provisioned Concurrency',
    )
    await lambda.send(new UpdateAliasCommand({ ...alias, RoutingConfig: {} }))
    await eventually('the first version has all of them again', async () => {
      const config = await get(lambda, name, 'live')
      const { type } = await ask(lambda, name, version)
      return config.Status === 'READY' && type === 'on-demand' ? true : undefined
    })
  })

  test('an init that fails ends in FAILED with its reason, and the version still answers on demand', async () => {
    const name = 'fails'
    const files = {
      'index.mjs': `
        if (process.env.AWS_LAMBDA_INITIALIZATION_TYPE === 'provisioned-concurrency') throw new Error('not like this')
        export const handler = async () => ({ type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE })`,
    }
    await createFunction(lambda, { FunctionName: name, files })
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    await put(lambda, name, '1', 2)
    const failed = await ready(lambda, name, '1', 'FAILED')
    assert.deepEqual(
      [
        failed.StatusReason,
        failed.AllocatedProvisionedConcurrentExecutions,
        failed.AvailableProvisionedConcurrentExecutions,
      ],
      ['FUNCTION_ERROR_INIT_FAILURE', 0, 0],
    )
    assert.equal((await ask(lambda, name, '1')).type, 'on-demand')
    await eventually('the log says so', async () => {
      const lines = await logMessages(logsClient(program.endpoint), name)
      return lines.some((line) => /^INIT_REPORT .*Phase: init\tStatus: error/.test(line)) ? true : undefined
    })
  })

  test('one that dies is replaced', async () => {
    const name = 'dies'
    await createFunction(lambda, { FunctionName: name, files: source('one') })
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    await put(lambda, name, '1', 1)
    await ready(lambda, name, '1')
    const before = await ask(lambda, name, '1')
    const { functionError } = await invoke(lambda, name, { exit: true }, { Qualifier: '1' })
    assert.equal(functionError, 'Unhandled')
    const next = await eventually('there is another one', async () => {
      const said = await ask(lambda, name, '1')
      return said.type === 'provisioned-concurrency' ? said : undefined
    })
    assert.notEqual(next.id, before.id)
    assert.equal((await get(lambda, name, '1')).Status, 'READY')
  })

  test('they are listed page by page and deleted with 204, and go with their version', async () => {
    const name = 'lists'
    await createFunction(lambda, { FunctionName: name, files: source('one') })
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    for (const word of ['two', 'three']) await publish(lambda, name, source(word))
    for (const version of ['1', '2', '3']) await put(lambda, name, version, 1)
    await ready(lambda, name, '3')
    const arns: (string | undefined)[] = []
    const pages = paginateListProvisionedConcurrencyConfigs(
      { client: lambda, pageSize: 2 },
      { FunctionName: name },
    )
    for await (const page of pages) {
      for (const item of page.ProvisionedConcurrencyConfigs ?? []) arns.push(item.FunctionArn)
    }
    const arn = `arn:aws:lambda:us-east-1:000000000000:function:${name}`
    assert.deepEqual(arns, [`${arn}:1`, `${arn}:2`, `${arn}:3`])
    assert.deepEqual(await errorOf(put(lambda, name, '1', 0)), {
      name: 'ValidationException',
      message:
        "1 validation error detected: Value '0' at 'provisionedConcurrentExecutions' failed to satisfy constraint: Member must have value greater than or equal to 1",
      status: 400,
    })
    const target = { FunctionName: name, Qualifier: '1' }
    const gone = await lambda.send(new DeleteProvisionedConcurrencyConfigCommand(target))
    assert.equal(gone.$metadata.httpStatusCode, 204)
    const error = await errorOf(get(lambda, name, '1'))
    assert.deepEqual(
      [error.name, error.status, error.message],
      [
        'ProvisionedConcurrencyConfigNotFoundException',
        404,
        'No Provisioned Concurrency Config found for this function',
      ],
    )
    await eventually('the version is on demand again', async () =>
      (await ask(lambda, name, '1')).type === 'on-demand' ? true : undefined,
    )
    await lambda.send(new DeleteFunctionCommand({ FunctionName: name, Qualifier: '2' }))
    const { ProvisionedConcurrencyConfigs } = await lambda.send(
      new ListProvisionedConcurrencyConfigsCommand({ FunctionName: name }),
    )
    assert.deepEqual(
      ProvisionedConcurrencyConfigs?.map(({ FunctionArn }) => FunctionArn),
      [`${arn}:3`],
    )
  })
})

test('provisioned concurrency is there again after kill -9, and said to be in progress until it is', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  const first = await startProgram({ dataDirectory })
  const name = 'survives'
  const slow = `await new Promise((resolve) => setTimeout(resolve, 1500))\n`
  {
    const lambda = lambdaClient(first.endpoint)
    await createFunction(lambda, {
      FunctionName: name,
      files: { 'index.mjs': slow + source('one')['index.mjs'] },
    })
    await lambda.send(new PublishVersionCommand({ FunctionName: name }))
    await put(lambda, name, '1', 1)
    await ready(lambda, name, '1')
  }
  await first.kill9()
  const second = await startProgram({ dataDirectory })
  t.after(() => second.stop())
  const lambda = lambdaClient(second.endpoint)
  const config = await get(lambda, name, '1')
  assert.deepEqual([config.Status, config.AvailableProvisionedConcurrentExecutions], ['IN_PROGRESS', 0])
  await ready(lambda, name, '1')
  assert.equal((await ask(lambda, name, '1')).type, 'provisioned-concurrency')
})
