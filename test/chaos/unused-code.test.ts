/** Packages that nothing uses any more go, all others stay, whatever happens to the process. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  DeleteLayerVersionCommand,
  GetFunctionCommand,
  GetLayerVersionByArnCommand,
  ListFunctionsCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { eventually, lambdaClient, ROLE, zipOf } from '../support/clients.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

const FUNCTIONS = 6
/** Few, so that what was deleted a moment ago is deployed again all the time. */
const PACKAGES = 40
const KILLS = 3
const ROUND_MS = 6_000

const hexOf = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString('hex')
const pick = <Item>(items: readonly Item[]) => items[Math.floor(Math.random() * items.length)] as Item

/** Where every package that anything refers to can be fetched, by its digest. */
async function usedPackages(lambda: LambdaClient): Promise<Map<string, string>> {
  const used = new Map<string, string>()
  for (let Marker: string | undefined; ;) {
    const page = await lambda.send(new ListFunctionsCommand({ FunctionVersion: 'ALL', Marker }))
    for (const { FunctionName, Version, CodeSha256 } of page.Functions ?? []) {
      const { Code } = await lambda.send(new GetFunctionCommand({ FunctionName, Qualifier: Version }))
      used.set(hexOf(CodeSha256), Code?.Location ?? '')
    }
    Marker = page.NextMarker
    if (!Marker) break
  }
  const { Layers = [] } = await lambda.send(new ListLayersCommand({}))
  for (const { LayerName } of Layers) {
    const { LayerVersions = [] } = await lambda.send(new ListLayerVersionsCommand({ LayerName }))
    for (const { LayerVersionArn: Arn } of LayerVersions) {
      const { Content } = await lambda.send(new GetLayerVersionByArnCommand({ Arn }))
      used.set(hexOf(Content?.CodeSha256), Content?.Location ?? '')
    }
  }
  return used
}

async function assertAllThere(used: ReadonlyMap<string, string>) {
  for (const [digest, location] of used) {
    const response = await fetch(location)
    const bytes = Buffer.from(await response.arrayBuffer())
    assert.equal(response.status, 200, `${digest} is there: ${bytes.toString()}`)
    assert.equal(createHash('sha256').update(bytes).digest('hex'), digest)
  }
}

const storedPackages = (dataDirectory: string) =>
  readdirSync(join(dataDirectory, 'store', 'blobs'), { recursive: true, encoding: 'utf8' })
    .map((path) => path.split('/').at(-1) ?? '')
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .toSorted()

test('deployments, kill -9 and sweeps at once: what is used is there, what is not goes', async (t) => {
  const dataDirectory = join(await temporaryDirectory(t), 'data')
  const zips = await Promise.all(
    Array.from({ length: PACKAGES }, (_, n) =>
      zipOf({ 'index.js': `exports.handler = async () => ${n}`, 'lib/data.txt': 'x'.repeat(n) }),
    ),
  )
  const options = { dataDirectory, args: ['--driver=process', '--unused-code-seconds=1'] }
  let program = await startProgram(options)
  t.after(() => program.stop())
  let alive = true
  let changes = 0

  const step = async (lambda: LambdaClient) => {
    const FunctionName = `f${Math.floor(Math.random() * FUNCTIONS)}`
    const ZipFile = pick(zips)
    const layer = await lambda
      .send(new ListLayerVersionsCommand({ LayerName: 'l' }))
      .then(({ LayerVersions }) => pick(LayerVersions ?? [])?.LayerVersionArn)
    const commands = [
      () => lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile })),
      () => lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ZipFile, Publish: true })),
      () =>
        lambda.send(
          new CreateFunctionCommand({
            FunctionName,
            Runtime: 'nodejs26.x',
            Handler: 'index.handler',
            Role: ROLE,
            Code: { ZipFile },
          }),
        ),
      () => lambda.send(new PublishVersionCommand({ FunctionName })),
      () => lambda.send(new DeleteFunctionCommand({ FunctionName })),
      () => lambda.send(new DeleteFunctionCommand({ FunctionName })),
      () => lambda.send(new PublishLayerVersionCommand({ LayerName: 'l', Content: { ZipFile } })),
      () =>
        lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, Layers: layer ? [layer] : [] })),
      () =>
        lambda.send(
          new DeleteLayerVersionCommand({
            LayerName: 'l',
            VersionNumber: Number(layer?.split(':').at(-1) ?? 1),
          }),
        ),
    ]
    await pick(commands)()
    changes++
  }
  /** Refusals are part of it: half of the requests come at the wrong moment. */
  const deploy = async () => {
    while (alive) {
      const lambda = lambdaClient(program.endpoint)
      await step(lambda).catch(() => wait(20))
      lambda.destroy()
      // Room for the sweeps, and time in which something is unused for long enough.
      await wait(50)
    }
  }

  let gone = 0
  for (let kill = 0; kill < KILLS; kill++) {
    alive = true
    const seen = new Set<string>()
    const deployers = Array.from({ length: 3 }, deploy)
    for (const until = Date.now() + ROUND_MS; Date.now() < until; await wait(200)) {
      const now = new Set(storedPackages(dataDirectory))
      for (const digest of seen) if (!now.has(digest)) gone += Number(seen.delete(digest))
      for (const digest of now) seen.add(digest)
    }
    await program.kill9()
    alive = false
    await Promise.all(deployers)
    program = await startProgram(options)
    const used = await usedPackages(lambdaClient(program.endpoint))
    await assertAllThere(used)
  }
  assert.ok(changes > 100, `${changes} changes`)
  t.diagnostic(`${changes} changes, ${gone} packages deleted under way`)

  const lambda = lambdaClient(program.endpoint)
  // A function goes on using a layer whose version was deleted, and no list tells of its package: those functions go.
  const { Functions = [] } = await lambda.send(new ListFunctionsCommand({ FunctionVersion: 'ALL' }))
  const layered = new Set(
    Functions.flatMap(({ FunctionName, Layers }) => (Layers?.length ? [FunctionName] : [])),
  )
  for (const FunctionName of layered) await lambda.send(new DeleteFunctionCommand({ FunctionName }))
  const used = await usedPackages(lambda)
  await eventually(
    'only what is used is left',
    async () => storedPackages(dataDirectory).length <= used.size || undefined,
    30_000,
  )
  assert.deepEqual(storedPackages(dataDirectory), [...used.keys()].toSorted())
  await assertAllThere(used)
})
