/** Functions that are isolated by tenants: who must be named, and that nobody meets what another tenant has left. */
// parity: CreateFunction Invoke InvokeWithResponseStream CreateFunctionUrlConfig
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateFunctionUrlConfigCommand,
  DeleteFunctionCommand,
  GetFunctionCommand,
  InvokeWithResponseStreamCommand,
  PublishVersionCommand,
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
} from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const TenancyConfig = { TenantIsolationMode: 'PER_TENANT' as const }
/** Remembers in memory and in /tmp whom it has served. */
const REMEMBERS = {
  'index.mjs': `import { appendFileSync, readFileSync } from 'node:fs'
    const served = []
    export const handler = async (event, { tenantId }) => {
      served.push(tenantId)
      appendFileSync('/tmp/served', tenantId + ' ')
      console.log('serving', tenantId)
      return { tenantId, served, onDisk: readFileSync('/tmp/served', 'utf8') }
    }`,
}
const invalid = (message: string) => ({ name: 'InvalidParameterValueException', message, status: 400 })
const MISSING = invalid(
  'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
)
const UNWANTED = invalid(
  'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.',
)

describe('functions with tenants', () => {
  let program: Program
  let lambda: LambdaClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
  })
  after(() => program.stop())

  test('every tenant has environments of its own, and comes back to them', async () => {
    await createFunction(lambda, { FunctionName: 'isolated', files: REMEMBERS, TenancyConfig })
    const serve = async (TenantId: string) =>
      (await invoke(lambda, 'isolated', {}, { TenantId })).payload as {
        tenantId: string
        served: string[]
        onDisk: string
      }
    const strange = 'a b/c:d.e_f=g+h-i@j'
    assert.deepEqual(await serve('blue'), { tenantId: 'blue', served: ['blue'], onDisk: 'blue ' })
    assert.deepEqual(await serve('green'), { tenantId: 'green', served: ['green'], onDisk: 'green ' })
    assert.deepEqual(await serve('blue'), {
      tenantId: 'blue',
      served: ['blue', 'blue'],
      onDisk: 'blue blue ',
    })
    assert.equal((await serve(strange)).tenantId, strange)
    const many = await Promise.all(
      Array.from({ length: 12 }, (_, index) => serve(['red', 'black', 'white'][index % 3] ?? '')),
    )
    for (const { tenantId, served } of many) assert.deepEqual(new Set(served), new Set([tenantId]))
  })

  test('a published version is isolated too, apart from $LATEST', async () => {
    await createFunction(lambda, { FunctionName: 'versioned', files: REMEMBERS, TenancyConfig })
    await lambda.send(new PublishVersionCommand({ FunctionName: 'versioned' }))
    const serve = async (Qualifier: string, TenantId: string) =>
      (
        (await invoke(lambda, 'versioned', {}, { Qualifier, TenantId })).payload as {
          served: string[]
        }
      ).served
    assert.deepEqual(await serve('1', 'blue'), ['blue'])
    assert.deepEqual(await serve('$LATEST', 'blue'), ['blue'])
    assert.deepEqual(await serve('1', 'green'), ['green'])
    assert.deepEqual(await serve('1', 'blue'), ['blue', 'blue'])
    assert.deepEqual(await errorOf(invoke(lambda, 'versioned', {}, { Qualifier: '1' })), MISSING)
  })

  test('the tenant of an asynchronous event is kept until it runs', async () => {
    await createFunction(lambda, {
      FunctionName: 'later',
      files: REMEMBERS,
      TenancyConfig,
      LoggingConfig: { LogFormat: 'JSON' },
    })
    const accepted = await invoke(lambda, 'later', {}, { InvocationType: 'Event', TenantId: 'blue' })
    assert.equal(accepted.status, 202)
    const logs = logsClient(program.endpoint)
    const lines = await eventually('it has run', async () => {
      const all = (await logMessages(logs, 'later')).map(
        (line) => JSON.parse(line) as Record<string, unknown>,
      )
      return all.some(({ type }) => type === 'platform.report') ? all : undefined
    })
    const start = lines.find(({ type }) => type === 'platform.start')
    assert.equal((start?.['record'] as { tenantId?: string } | undefined)?.tenantId, 'blue')
    assert.ok(lines.some(({ message, tenantId }) => message === 'serving blue' && tenantId === 'blue'))
  })

  test('an invocation names a tenant exactly when the function has tenants', async () => {
    await createFunction(lambda, { FunctionName: 'strict', files: REMEMBERS, TenancyConfig })
    await createFunction(lambda, { FunctionName: 'ordinary', files: REMEMBERS })
    for (const InvocationType of ['RequestResponse', 'Event', 'DryRun'] as const) {
      assert.deepEqual(await errorOf(invoke(lambda, 'strict', {}, { InvocationType })), MISSING)
      assert.deepEqual(
        await errorOf(invoke(lambda, 'ordinary', {}, { InvocationType, TenantId: 'blue' })),
        UNWANTED,
      )
    }
    assert.deepEqual(
      await errorOf(lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: 'strict' }))),
      MISSING,
    )
    const bad = await errorOf(invoke(lambda, 'strict', {}, { TenantId: 'no#way' }))
    assert.equal(bad.name, 'ValidationException')
    assert.match(
      bad.message,
      /^1 validation error detected: Value 'no#way' at 'tenantId' failed to satisfy constraint: Member must satisfy regular expression pattern: /,
    )
    const long = await errorOf(invoke(lambda, 'strict', {}, { TenantId: 'x'.repeat(257) }))
    assert.match(long.message, /Member must have length less than or equal to 256$/)
  })

  test('the configuration shows it, a function URL is refused, and it ends with the function', async () => {
    const created = await createFunction(lambda, { FunctionName: 'shown', files: REMEMBERS, TenancyConfig })
    assert.deepEqual(created.TenancyConfig, TenancyConfig)
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: 'shown' }))
    assert.deepEqual(Configuration?.TenancyConfig, TenancyConfig)
    assert.deepEqual(
      await errorOf(
        lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'shown', AuthType: 'NONE' })),
      ),
      invalid('Function URLs are not supported for functions with tenancy configuration.'),
    )
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'shown' }))
    const again = await createFunction(lambda, { FunctionName: 'shown', files: REMEMBERS })
    assert.equal(again.TenancyConfig, undefined)
  })
})
