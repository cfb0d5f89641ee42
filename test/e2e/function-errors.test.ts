/** What AWS refuses on functions, versions, aliases and tags: whole error bodies, byte for byte where they are recorded. */
// parity: CreateFunction UpdateFunctionCode UpdateFunctionConfiguration GetFunction DeleteFunction PublishVersion
// parity: CreateAlias UpdateAlias DeleteAlias GetAlias TagResource UntagResource ListTags ListFunctions InvokeAsync
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  PublishVersionCommand,
  UpdateFunctionConfigurationCommand,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import {
  createFunction,
  eventually,
  lambdaClient,
  logMessages,
  logsClient,
  ROLE,
  zipOf,
} from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'
const FUNCTIONS = '/2015-03-31/functions'
const NAME = 'main'

describe('refusals on functions', () => {
  let program: Program
  let lambda: LambdaClient
  let zip: string
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    const files = {
      'index.mjs': 'export const handler = async (event) => { console.log("got", event.a); return 1 }',
    }
    zip = (await zipOf(files)).toString('base64')
    await createFunction(lambda, { FunctionName: NAME, files })
    await lambda.send(new PublishVersionCommand({ FunctionName: NAME }))
  })
  after(() => program.stop())

  /** Without a signature: what comes back is looked at as it is. */
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${program.endpoint}${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const text = await response.text()
    return {
      status: response.status,
      type: response.headers.get('x-amzn-errortype'),
      body: text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>),
    }
  }
  const invalid = (message: string) => ({
    status: 400,
    type: 'InvalidParameterValueException',
    body: { Type: 'User', message },
  })
  const missing = (Message: string) => ({
    status: 404,
    type: 'ResourceNotFoundException',
    body: { Type: 'User', Message },
  })
  const validation = (message: string) => ({ status: 400, type: 'ValidationException', body: { message } })
  const create = (more: object) =>
    call('POST', FUNCTIONS, {
      FunctionName: 'never',
      Runtime: 'nodejs26.x',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile: zip },
      ...more,
    })
  const alias = (more: object) =>
    call('POST', `${FUNCTIONS}/${NAME}/aliases`, { Name: 'never', FunctionVersion: '1', ...more })

  test('creating', async () => {
    assert.deepEqual(await create({ FunctionName: NAME }), {
      status: 409,
      type: 'ResourceConflictException',
      body: { Type: 'User', message: `Function already exist: ${NAME}` },
    })
    assert.deepEqual(
      await create({ Runtime: undefined }),
      invalid('Runtime and Handler are mandatory parameters for functions created with deployment packages.'),
    )
    assert.deepEqual(
      await create({ Runtime: 'nodejs14.x' }),
      invalid(
        'The runtime parameter of nodejs14.x is no longer supported for creating or updating AWS Lambda functions. We recommend you use a supported runtime while creating or updating functions.',
      ),
    )
    assert.match(
      String((await create({ Runtime: 'cobol1.x' })).body?.['message']),
      /^Value cobol1\.x at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: \[nodejs20\.x, provided\.al2023, .*\] or be a valid ARN$/,
    )
    assert.deepEqual(
      await create({ MemorySize: 64 }),
      validation(
        "1 validation error detected: Value '64' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128",
      ),
    )
    assert.deepEqual(
      await create({ Architectures: ['arm64', 'x86_64'] }),
      validation(
        "1 validation error detected: Value '[arm64, x86_64]' at 'architectures' failed to satisfy constraint: Member must have length less than or equal to 1",
      ),
    )
    assert.deepEqual(
      await create({ Architectures: ['mips'] }),
      validation(
        "1 validation error detected: Value '[mips]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
      ),
    )
    assert.match(
      String((await create({ Role: 'not-a-role' })).body?.['message']),
      /^1 validation error detected: Value 'not-a-role' at 'role' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:/,
    )
    assert.deepEqual(
      await create({ LoggingConfig: { LogFormat: 'Text', SystemLogLevel: 'DEBUG' } }),
      invalid(
        'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
      ),
    )
    assert.deepEqual(
      await create({ SnapStart: { ApplyOn: 'Sometimes' } }),
      validation(
        "1 validation error detected: Value 'Sometimes' at 'snapStart.applyOn' failed to satisfy constraint: Member must satisfy enum value set: [PublishedVersions, None]",
      ),
    )
    assert.deepEqual(
      await create({ SnapStart: { ApplyOn: 'PublishedVersions' } }),
      invalid('nodejs26.x is not supported for SnapStart enabled functions.'),
    )
    assert.equal((await call('GET', `${FUNCTIONS}/never`)).status, 404)
  })

  test('names: another region, another account, contradicting qualifiers, no such qualifier', async () => {
    const get = (name: string, qualifier = '') =>
      call('GET', `${FUNCTIONS}/${encodeURIComponent(name)}${qualifier && `?Qualifier=${qualifier}`}`)
    assert.deepEqual(
      await get(`arn:aws:lambda:eu-west-1:000000000000:function:${NAME}`),
      missing("Functions from 'eu-west-1' are not reachable in this region ('us-east-1')"),
    )
    const foreign = await get(`arn:aws:lambda:us-east-1:111111111111:function:${NAME}`)
    assert.deepEqual([foreign.status, foreign.type], [403, 'AccessDeniedException'])
    assert.deepEqual(
      await get(`${NAME}:1`, '2'),
      invalid('The derived qualifier from the function name does not match the specified qualifier.'),
    )
    assert.deepEqual(await get(NAME, '99'), missing(`Function not found: ${ARN}:${NAME}:99`))
    assert.deepEqual(await get(`${NAME}:nobody`), missing(`Function not found: ${ARN}:${NAME}:nobody`))
    for (const name of [NAME, `000000000000:${NAME}`, `000000000000:function:${NAME}`, `${ARN}:${NAME}`]) {
      const arnOf = ({ body }: Awaited<ReturnType<typeof get>>) =>
        (body?.['Configuration'] as { FunctionArn?: string } | undefined)?.FunctionArn
      const found = await get(name)
      assert.equal(arnOf(found), `${ARN}:${NAME}`)
      const latest = await get(`${name}:$LATEST`)
      assert.equal(arnOf(latest), `${ARN}:${NAME}:$LATEST`)
    }
  })

  test('updating and publishing', async () => {
    const configuration = `${FUNCTIONS}/${NAME}/configuration`
    const stale = {
      status: 412,
      type: 'PreconditionFailedException',
      body: {
        Type: 'User',
        message:
          'The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id',
      },
    }
    const RevisionId = '00000000-0000-0000-0000-000000000000'
    assert.deepEqual(await call('PUT', configuration, { RevisionId, Description: 'x' }), stale)
    assert.deepEqual(await call('PUT', `${FUNCTIONS}/${NAME}/code`, { RevisionId, ZipFile: zip }), stale)
    assert.deepEqual(await call('POST', `${FUNCTIONS}/${NAME}/versions`, { RevisionId }), stale)
    const { body: head } = await call('GET', configuration)
    assert.deepEqual(
      await call('POST', `${FUNCTIONS}/${NAME}/versions`, { CodeSha256: 'a'.repeat(64) }),
      invalid(
        `CodeSHA256 (${'a'.repeat(64)}) is different from current CodeSHA256 in $LATEST (${String(head?.['CodeSha256'])}). Please try again with the CodeSHA256 in $LATEST.`,
      ),
    )
    // A dry run says what would be and changes nothing.
    const dry = await call('PUT', `${FUNCTIONS}/${NAME}/code`, { ZipFile: zip, DryRun: true })
    assert.equal(dry.status, 200)
    assert.deepEqual(await call('GET', configuration), { status: 200, type: null, body: head })
    // While one update is on its way there is no other.
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: NAME, Timeout: 10 }))
    const busy = await call('PUT', configuration, { Timeout: 11 })
    if (busy.status !== 200) {
      assert.deepEqual(busy, {
        status: 409,
        type: 'ResourceConflictException',
        body: {
          Type: 'User',
          message: `The operation cannot be performed at this time. An update is in progress for resource: ${ARN}:${NAME}`,
        },
      })
    }
    await eventually('the update has ended', async () => {
      const { body } = await call('GET', configuration)
      return body?.['LastUpdateStatus'] === 'InProgress' ? undefined : true
    })
  })

  test('aliases', async () => {
    const routed = (weights: object, FunctionVersion = '1') =>
      alias({ FunctionVersion, RoutingConfig: { AdditionalVersionWeights: weights } })
    assert.deepEqual(
      await routed({ '1': 0.5, '2': 0.5 }),
      invalid('Number of items in AdditionalVersionWeights cannot be greater than 1'),
    )
    assert.deepEqual(
      await routed({ '1': 0.5 }),
      invalid('Invalid function version 1. Function version 1 is already included in routing configuration.'),
    )
    // AWS leaves `Type` out of this one.
    assert.deepEqual(await routed({ '1': 0.5 }, '$LATEST'), {
      status: 400,
      type: 'InvalidParameterValueException',
      body: { message: '$LATEST is not supported for an alias pointing to more than 1 version' },
    })
    assert.deepEqual(
      await routed({ '2': 2 }),
      validation(
        "1 validation error detected: Value '{2=2.0}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
      ),
    )
    assert.deepEqual(
      await routed({ $LATEST: 0.5 }),
      validation(
        "1 validation error detected: Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]",
      ),
    )
    assert.deepEqual(await routed({ '10': 0.5 }), missing(`Function not found: ${ARN}:${NAME}:10`))
    assert.deepEqual(await alias({ FunctionVersion: '10' }), missing(`Function not found: ${ARN}:${NAME}:10`))
    assert.deepEqual(
      await call('GET', `${FUNCTIONS}/${NAME}/aliases/nobody`),
      missing(`Cannot find alias arn: ${ARN}:${NAME}:nobody`),
    )
    const made = await alias({ Name: 'live', RoutingConfig: {} })
    assert.deepEqual(
      { ...made, body: { ...made.body, RevisionId: '' } },
      {
        status: 201,
        type: null,
        body: {
          AliasArn: `${ARN}:${NAME}:live`,
          Name: 'live',
          FunctionVersion: '1',
          Description: '',
          RevisionId: '',
        },
      },
    )
    assert.deepEqual(await alias({ Name: 'live' }), {
      status: 409,
      type: 'ResourceConflictException',
      body: { Type: 'User', message: `Alias already exists: ${ARN}:${NAME}:live` },
    })
    // Versions under an alias stay; $LATEST and aliases are not deleted this way.
    assert.deepEqual(await call('DELETE', `${FUNCTIONS}/${NAME}?Qualifier=1`), {
      status: 409,
      type: 'ResourceConflictException',
      body: {
        Type: 'User',
        message: 'Unable to delete version because the following aliases reference it: [live]',
      },
    })
    assert.deepEqual(
      await call('DELETE', `${FUNCTIONS}/${NAME}?Qualifier=$LATEST`),
      invalid('$LATEST version cannot be deleted without deleting the function.'),
    )
    assert.deepEqual(
      await call('DELETE', `${FUNCTIONS}/nobody?Qualifier=1`),
      missing(`Function not found: ${ARN}:nobody`),
    )
    for (const expected of [204, 204]) {
      assert.equal((await call('DELETE', `${FUNCTIONS}/${NAME}/aliases/live`)).status, expected)
    }
  })

  test('tags', async () => {
    const tags = (arn: string) => `/2017-03-31/tags/${encodeURIComponent(arn)}`
    const own = tags(`${ARN}:${NAME}`)
    assert.deepEqual(
      await call('POST', tags(`${ARN}:nobody`), { Tags: { a: '1' } }),
      missing(`Function not found: ${ARN}:nobody`),
    )
    assert.deepEqual(
      await call('POST', tags(`${ARN}:${NAME}:1`), { Tags: { a: '1' } }),
      invalid('Tags on function aliases and versions are not supported. Please specify a function ARN.'),
    )
    assert.deepEqual(
      await call('POST', own, { Tags: {} }),
      invalid('An error occurred and the request cannot be processed.'),
    )
    assert.match(
      String((await call('POST', tags('arn:aws:something'), { Tags: { a: '1' } })).body?.['message']),
      /^1 validation error detected: Value 'arn:aws:something' at 'resource' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:/,
    )
    assert.deepEqual(
      await call('DELETE', own),
      validation(
        "1 validation error detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null",
      ),
    )
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}_key`, `${index}_value`]))
    const tooMany = invalid('Number of tags exceeds resource tag limit.')
    assert.deepEqual(await call('POST', own, { Tags: many(51) }), tooMany)
    assert.deepEqual(await create({ Tags: many(51) }), tooMany)
    assert.equal((await call('POST', own, { Tags: many(50) })).status, 204)
    assert.deepEqual(await call('POST', own, { Tags: { more: '1' } }), tooMany)
    assert.deepEqual(await call('GET', own), { status: 200, type: null, body: { Tags: many(50) } })
    assert.equal((await call('DELETE', `${own}?tagKeys=nobody`)).status, 204)
    const reserved = await call('POST', own, { Tags: { 'aws:x': '1' } })
    assert.deepEqual([reserved.status, reserved.type], [400, 'InvalidParameterValueException'])
  })

  test('lists', async () => {
    const list = (query: string) => call('GET', `${FUNCTIONS}/?${query}`)
    assert.deepEqual(
      await list('FunctionVersion=SOME'),
      validation(
        "1 validation error detected: Value 'SOME' at 'functionVersion' failed to satisfy constraint: Member must satisfy enum value set: [ALL]",
      ),
    )
    assert.deepEqual(await list('MasterRegion=us-east-1&FunctionVersion=ALL'), {
      status: 200,
      type: null,
      body: { Functions: [] },
    })
    assert.equal((await list('MaxItems=0')).type, 'ValidationException')
    assert.equal((await list('Marker=nonsense')).status, 400)
  })

  test('the old asynchronous operation runs the function and answers 202', async () => {
    const path = `/2014-11-13/functions/${NAME}/invoke-async`
    const accepted = await call('POST', path, { a: 'by-the-old-way' })
    assert.deepEqual([accepted.status, accepted.type], [202, null])
    const logs = logsClient(program.endpoint)
    await eventually('it has run', async () => {
      const lines = await logMessages(logs, NAME)
      return lines.some((line) => line.includes('by-the-old-way')) ? true : undefined
    })
    assert.equal((await call('POST', '/2014-11-13/functions/nobody/invoke-async', {})).status, 404)
  })
})
