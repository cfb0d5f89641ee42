/** The main job through the SDK for JavaScript v3: deploy, change, publish, route, limit, invoke, read logs, delete. */
// parity: CreateFunction GetFunction GetFunctionConfiguration ListFunctions UpdateFunctionCode UpdateFunctionConfiguration
// parity: DeleteFunction PublishVersion ListVersionsByFunction CreateAlias GetAlias UpdateAlias DeleteAlias ListAliases
// parity: PublishLayerVersion GetLayerVersion ListLayers ListLayerVersions DeleteLayerVersion GetLayerVersionByArn
// parity: PutFunctionConcurrency GetFunctionConcurrency DeleteFunctionConcurrency GetAccountSettings
// parity: TagResource UntagResource ListTags Invoke
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import {
  CreateAliasCommand,
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteLayerVersionCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  ListAliasesCommand,
  ListFunctionsCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  ListTagsCommand,
  ListVersionsByFunctionCommand,
  paginateListFunctions,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
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
  ROLE,
  zipOf,
} from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const source = (text: string) => ({
  'index.mjs': `export const handler = async (event, context) => (${text})`,
})

describe('functions through the SDK for JavaScript', () => {
  let program: Program
  let lambda: LambdaClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
  })
  after(() => program.stop())

  const updated = (name: string) =>
    waitUntilFunctionUpdatedV2(
      { client: lambda, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
      { FunctionName: name },
    )

  test("create answers Pending with AWS's defaults, then the function becomes Active", async () => {
    const zip = await zipOf(source(`event`))
    const created = await lambda.send(
      new CreateFunctionCommand({
        FunctionName: 'first',
        Runtime: 'nodejs26.x',
        Handler: 'index.handler',
        Role: ROLE,
        Code: { ZipFile: zip },
      }),
    )
    const { $metadata, RevisionId, LastModified, RuntimeVersionConfig, ConfigSha256, ...stable } =
      created as typeof created & { ConfigSha256?: string }
    assert.equal($metadata.httpStatusCode, 201)
    assert.match(RevisionId ?? '', /^[0-9a-f-]{36}$/)
    assert.match(LastModified ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/)
    assert.ok(RuntimeVersionConfig?.RuntimeVersionArn?.startsWith('arn:aws:lambda:us-east-1::runtime:'))
    void ConfigSha256
    assert.deepEqual(stable, {
      Architectures: ['x86_64'],
      CodeSha256: createHash('sha256').update(zip).digest('base64'),
      CodeSize: zip.length,
      Description: '',
      EphemeralStorage: { Size: 512 },
      FunctionArn: `${ARN}:first`,
      FunctionName: 'first',
      Handler: 'index.handler',
      LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/first' },
      MemorySize: 128,
      PackageType: 'Zip',
      Role: ROLE,
      Runtime: 'nodejs26.x',
      SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
      State: 'Pending',
      StateReason: 'The function is being created.',
      StateReasonCode: 'Creating',
      Timeout: 3,
      TracingConfig: { Mode: 'PassThrough' },
      Version: '$LATEST',
    })
    const active = await eventually('it is Active', async () => {
      const config = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'first' }))
      return config.State === 'Active' ? config : undefined
    })
    assert.equal(active.LastUpdateStatus, 'Successful')
    assert.equal(active.StateReason, undefined)
    assert.notEqual(active.RevisionId, RevisionId)
    assert.deepEqual((await invoke(lambda, 'first', { a: [1, null] })).payload, { a: [1, null] })
  })

  test('the code that GetFunction points at is the code that was uploaded', async () => {
    const { CodeSha256 } = await createFunction(lambda, {
      FunctionName: 'download',
      files: source('1'),
      Tags: { team: 'a' },
    })
    const found = await lambda.send(new GetFunctionCommand({ FunctionName: 'download' }))
    assert.equal(found.Code?.RepositoryType, 'S3')
    assert.deepEqual(found.Tags, { team: 'a' })
    const response = await fetch(found.Code?.Location ?? '')
    assert.equal(response.status, 200)
    const bytes = Buffer.from(await response.arrayBuffer())
    assert.equal(createHash('sha256').update(bytes).digest('base64'), CodeSha256)
  })

  test('new code and new configuration reach the next invocation', async () => {
    await createFunction(lambda, {
      FunctionName: 'changing',
      files: source(`'one ' + process.env.WORD`),
      Environment: { Variables: { WORD: 'a' } },
    })
    assert.equal((await invoke(lambda, 'changing', {})).payload, 'one a')
    const update = await lambda.send(
      new UpdateFunctionCodeCommand({
        FunctionName: 'changing',
        ZipFile: await zipOf(source(`'two ' + process.env.WORD`)),
      }),
    )
    assert.equal(update.LastUpdateStatus, 'InProgress')
    assert.equal(update.State, 'Active')
    await updated('changing')
    assert.equal((await invoke(lambda, 'changing', {})).payload, 'two a')
    await lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: 'changing',
        Environment: { Variables: { WORD: 'b' } },
        MemorySize: 256,
      }),
    )
    await updated('changing')
    assert.equal((await invoke(lambda, 'changing', {})).payload, 'two b')
  })

  test('environment variables are not in the data directory in clear', async () => {
    const secret = 'correct-horse-battery-staple'
    await createFunction(lambda, {
      FunctionName: 'secretive',
      files: source('1'),
      Environment: { Variables: { SECRET: secret } },
    })
    const { execFileSync } = await import('node:child_process')
    const found = execFileSync('sh', [
      '-c',
      `grep -rl ${secret} "$1" || true`,
      'sh',
      program.dataDirectory,
    ]).toString()
    assert.equal(found, '')
  })

  test('versions are frozen, aliases point at them, weights route', async () => {
    await createFunction(lambda, {
      FunctionName: 'versioned',
      files: source(`'v1 ' + context.functionVersion + ' ' + context.invokedFunctionArn`),
    })
    const first = await lambda.send(
      new PublishVersionCommand({ FunctionName: 'versioned', Description: 'first' }),
    )
    assert.deepEqual(
      [first.Version, first.FunctionArn, first.Description],
      ['1', `${ARN}:versioned:1`, 'first'],
    )
    const again = await lambda.send(new PublishVersionCommand({ FunctionName: 'versioned' }))
    assert.equal(again.Version, '1')
    await lambda.send(
      new UpdateFunctionCodeCommand({
        FunctionName: 'versioned',
        ZipFile: await zipOf(source(`'v2'`)),
        Publish: true,
      }),
    )
    await updated('versioned')
    const { Versions } = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName: 'versioned' }))
    assert.deepEqual(
      Versions?.map(({ Version }) => Version),
      ['$LATEST', '1', '2'],
    )
    const alias = await lambda.send(
      new CreateAliasCommand({ FunctionName: 'versioned', Name: 'live', FunctionVersion: '1' }),
    )
    assert.equal(alias.AliasArn, `${ARN}:versioned:live`)
    const viaAlias = await invoke(lambda, 'versioned', {}, { Qualifier: 'live' })
    assert.equal(viaAlias.payload, `v1 1 ${ARN}:versioned:live`)
    assert.equal(viaAlias.executedVersion, '1')
    assert.equal((await invoke(lambda, `${ARN}:versioned:2`, {})).payload, 'v2')
    assert.equal((await invoke(lambda, 'versioned:1', {})).executedVersion, '1')
    await lambda.send(
      new UpdateAliasCommand({
        FunctionName: 'versioned',
        Name: 'live',
        RoutingConfig: { AdditionalVersionWeights: { 2: 0.5 } },
      }),
    )
    const executed = new Set<string | undefined>()
    for (let index = 0; index < 40 && executed.size < 2; index++) {
      executed.add((await invoke(lambda, 'versioned', {}, { Qualifier: 'live' })).executedVersion)
    }
    assert.deepEqual([...executed].toSorted(), ['1', '2'])
    const inUse = await errorOf(
      lambda.send(new DeleteFunctionCommand({ FunctionName: 'versioned', Qualifier: '1' })),
    )
    assert.deepEqual([inUse.name, inUse.status], ['ResourceConflictException', 409])
    assert.equal(
      (await lambda.send(new GetAliasCommand({ FunctionName: 'versioned', Name: 'live' }))).FunctionVersion,
      '1',
    )
    assert.equal(
      (await lambda.send(new ListAliasesCommand({ FunctionName: 'versioned' }))).Aliases?.length,
      1,
    )
    await lambda.send(new DeleteAliasCommand({ FunctionName: 'versioned', Name: 'live' }))
    const gone = await errorOf(invoke(lambda, 'versioned', {}, { Qualifier: 'live' }))
    assert.deepEqual(gone, {
      name: 'ResourceNotFoundException',
      status: 404,
      message: `Function not found: ${ARN}:versioned:live`,
    })
  })

  test('layers appear under /opt, later ones win, and a deleted version goes on working where it is used', async () => {
    const layer = async (name: string, files: Record<string, string>) =>
      lambda.send(
        new PublishLayerVersionCommand({
          LayerName: name,
          Content: { ZipFile: await zipOf(files) },
          CompatibleRuntimes: ['nodejs26.x'],
        }),
      )
    const one = await layer('one', {
      'nodejs/node_modules/word/index.js': `module.exports = 'one'`,
      'only-one.txt': '1',
    })
    const two = await layer('two', { 'nodejs/node_modules/word/index.js': `module.exports = 'two'` })
    assert.equal(one.LayerVersionArn, 'arn:aws:lambda:us-east-1:000000000000:layer:one:1')
    const config = await createFunction(lambda, {
      FunctionName: 'layered',
      files: {
        'index.js': `const { existsSync } = require('node:fs')
exports.handler = async () => [require('word'), existsSync('/opt/only-one.txt') || existsSync((process.env.NODE_PATH ?? '').split('/nodejs')[0] + '/only-one.txt')]`,
      },
      Layers: [one.LayerVersionArn ?? '', two.LayerVersionArn ?? ''],
    })
    assert.deepEqual(
      config.Layers?.map(({ Arn }) => Arn),
      [one.LayerVersionArn, two.LayerVersionArn],
    )
    assert.deepEqual((await invoke(lambda, 'layered', {})).payload, ['two', true])
    const found = await lambda.send(new GetLayerVersionCommand({ LayerName: 'one', VersionNumber: 1 }))
    assert.equal((await fetch(found.Content?.Location ?? '')).status, 200)
    const byArn = await lambda.send(new GetLayerVersionByArnCommand({ Arn: one.LayerVersionArn ?? '' }))
    assert.equal(byArn.Version, 1)
    assert.deepEqual(
      (await lambda.send(new ListLayersCommand({}))).Layers?.map(({ LayerName }) => LayerName),
      ['one', 'two'],
    )
    await lambda.send(new DeleteLayerVersionCommand({ LayerName: 'one', VersionNumber: 1 }))
    assert.equal(
      (await lambda.send(new ListLayerVersionsCommand({ LayerName: 'one' }))).LayerVersions?.length,
      0,
    )
    assert.deepEqual((await invoke(lambda, 'layered', {})).payload, ['two', true])
    const again = await layer('one', { 'x.txt': 'x' })
    assert.equal(again.Version, 2)
  })

  test("reserved concurrency of one lets one invocation run and throttles the second with AWS's 429", async () => {
    await createFunction(lambda, {
      FunctionName: 'narrow',
      files: source(`new Promise((resolve) => setTimeout(() => resolve('done'), event.ms))`),
      Timeout: 10,
    })
    await lambda.send(
      new PutFunctionConcurrencyCommand({ FunctionName: 'narrow', ReservedConcurrentExecutions: 1 }),
    )
    assert.equal(
      (await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName: 'narrow' })))
        .ReservedConcurrentExecutions,
      1,
    )
    const running = invoke(lambda, 'narrow', { ms: 2000 })
    const refused = await eventually('the second is throttled', async () => {
      try {
        await invoke(lambda, 'narrow', { ms: 0 })
        return undefined
      } catch (error) {
        return error as Error & { Reason?: string; Type?: string; $metadata: { httpStatusCode?: number } }
      }
    })
    assert.deepEqual(
      [refused.name, refused.message, refused.Reason, refused.Type, refused.$metadata.httpStatusCode],
      [
        'TooManyRequestsException',
        'Rate Exceeded.',
        'ReservedFunctionConcurrentInvocationLimitExceeded',
        'User',
        429,
      ],
    )
    assert.equal((await running).payload, 'done')
    const tooMuch = await errorOf(
      lambda.send(
        new PutFunctionConcurrencyCommand({ FunctionName: 'narrow', ReservedConcurrentExecutions: 901 }),
      ),
    )
    assert.equal(tooMuch.name, 'InvalidParameterValueException')
    assert.match(
      tooMuch.message,
      /decreases account's UnreservedConcurrentExecution below its minimum value of \[100\]\./,
    )
    const settings = await lambda.send(new GetAccountSettingsCommand({}))
    assert.equal(settings.AccountLimit?.UnreservedConcurrentExecutions, 999)
    await lambda.send(new DeleteFunctionConcurrencyCommand({ FunctionName: 'narrow' }))
    assert.equal((await invoke(lambda, 'narrow', { ms: 0 })).payload, 'done')
  })

  test('tags are added, removed and listed', async () => {
    await createFunction(lambda, { FunctionName: 'tagged', files: source('1') })
    await lambda.send(new TagResourceCommand({ Resource: `${ARN}:tagged`, Tags: { a: '1', b: '2' } }))
    await lambda.send(new UntagResourceCommand({ Resource: `${ARN}:tagged`, TagKeys: ['a'] }))
    assert.deepEqual((await lambda.send(new ListTagsCommand({ Resource: `${ARN}:tagged` }))).Tags, { b: '2' })
  })

  test('dry run answers 204, Event 202 with nothing in it and runs, Tail gives the end of the log', async () => {
    await createFunction(lambda, {
      FunctionName: 'kinds',
      files: {
        'index.mjs': `export const handler = async (event) => { console.log('seen', event.word); return null }`,
      },
    })
    const dry = await invoke(lambda, 'kinds', {}, { InvocationType: 'DryRun' })
    assert.deepEqual([dry.status, dry.text], [204, ''])
    const event = await invoke(lambda, 'kinds', { word: 'later' }, { InvocationType: 'Event' })
    assert.deepEqual([event.status, event.text, event.executedVersion], [202, '', undefined])
    const logs = logsClient(program.endpoint)
    await eventually('the event ran', async () =>
      (await logMessages(logs, 'kinds')).some((line) => line.includes('seen later')) ? true : undefined,
    )
    const tail = await invoke(lambda, 'kinds', { word: 'now' }, { LogType: 'Tail' })
    assert.equal(tail.text, 'null')
    assert.match(tail.log, new RegExp(`START RequestId: ${tail.requestId} Version: \\$LATEST\\n`))
    assert.match(tail.log, new RegExp(`\\t${tail.requestId}\\tINFO\\tseen now\\n`))
    assert.match(
      tail.log,
      new RegExp(
        `END RequestId: ${tail.requestId}\\nREPORT RequestId: ${tail.requestId}\\tDuration: \\d+\\.\\d\\d ms\\tBilled Duration: \\d+ ms\\tMemory Size: 128 MB\\tMax Memory Used: \\d+ MB\\t`,
      ),
    )
  })

  test('the client context, the payload forms and the size limits are as in AWS', async () => {
    await createFunction(lambda, {
      FunctionName: 'payloads',
      files: source(`({ event, context: context.clientContext })`),
    })
    const context = { custom: { a: 'b' } }
    const withContext = await invoke(
      lambda,
      'payloads',
      { x: 1 },
      { ClientContext: Buffer.from(JSON.stringify(context)).toString('base64') },
    )
    assert.deepEqual(withContext.payload, { event: { x: 1 }, context })
    for (const payload of ['null', '"text"', '17', '[]']) {
      assert.deepEqual((await invoke(lambda, 'payloads', payload)).payload, {
        event: JSON.parse(payload) as unknown,
      })
    }
    const bad = await errorOf(invoke(lambda, 'payloads', '{not json'))
    assert.deepEqual([bad.name, bad.status], ['InvalidRequestContentException', 400])
    assert.match(bad.message, /^Could not parse request body into json: /)
    const large = await errorOf(invoke(lambda, 'payloads', JSON.stringify('x'.repeat(6_300_000))))
    assert.equal(large.status, 413)
  })

  test('lists are paged and complete', async () => {
    const page = await lambda.send(new ListFunctionsCommand({ MaxItems: 2 }))
    assert.equal(page.Functions?.length, 2)
    assert.ok(page.NextMarker)
    const names: string[] = []
    for await (const next of paginateListFunctions({ client: lambda, pageSize: 3 }, {})) {
      names.push(...(next.Functions ?? []).map(({ FunctionName }) => FunctionName ?? ''))
    }
    assert.deepEqual(names, names.toSorted())
    assert.ok(names.includes('first') && names.includes('payloads'))
  })

  test('a deleted function is gone', async () => {
    await createFunction(lambda, { FunctionName: 'doomed', files: source('1') })
    const { $metadata } = await lambda.send(new DeleteFunctionCommand({ FunctionName: 'doomed' }))
    assert.equal($metadata.httpStatusCode, 204)
    assert.deepEqual(await errorOf(invoke(lambda, 'doomed', {})), {
      name: 'ResourceNotFoundException',
      status: 404,
      message: `Function not found: ${ARN}:doomed:$LATEST`,
    })
    assert.deepEqual(await errorOf(lambda.send(new GetFunctionCommand({ FunctionName: 'doomed' }))), {
      name: 'ResourceNotFoundException',
      status: 404,
      message: `Function not found: ${ARN}:doomed`,
    })
  })
})
