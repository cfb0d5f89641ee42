/** Lambda Managed Instances through the SDK: capacity providers, functions on them, their environments. */
// parity: PutFunctionScalingConfig/ResourceConflictException
// parity: CreateCapacityProvider GetCapacityProvider ListCapacityProviders UpdateCapacityProvider DeleteCapacityProvider
// parity: ListFunctionVersionsByCapacityProvider PutFunctionScalingConfig GetFunctionScalingConfig
// parity: CreateFunction PublishVersion UpdateFunctionCode UpdateFunctionConfiguration Invoke TagResource ListTags
// parity: InvokeWithResponseStream
import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'

import {
  CreateCapacityProviderCommand,
  CreateFunctionCommand,
  DeleteCapacityProviderCommand,
  DeleteFunctionCommand,
  GetCapacityProviderCommand,
  GetFunctionConfigurationCommand,
  GetFunctionScalingConfigCommand,
  InvokeWithResponseStreamCommand,
  ListCapacityProvidersCommand,
  ListFunctionVersionsByCapacityProviderCommand,
  ListTagsCommand,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  PutFunctionScalingConfigCommand,
  TagResourceCommand,
  UpdateCapacityProviderCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type CreateFunctionCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import {
  errorOf,
  eventually,
  invoke,
  lambdaClient,
  logMessages,
  logsClient,
  ROLE,
  zipOf,
} from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

const OPERATOR = 'arn:aws:iam::000000000000:role/operator'
const providerArn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:capacity-provider:${name}`
const HELLO = {
  'index.mjs': `
    export const handler = async (event, context) => ({
      event,
      type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE,
      arn: context.invokedFunctionArn,
      pid: process.pid,
    })`,
}

/** A provider that is Active. */
async function createProvider(lambda: LambdaClient, name: string, MaxVCpuCount?: number): Promise<void> {
  await lambda.send(
    new CreateCapacityProviderCommand({
      CapacityProviderName: name,
      VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
      PermissionsConfig: { CapacityProviderOperatorRoleArn: OPERATOR },
      ...(MaxVCpuCount !== undefined && { CapacityProviderScalingConfig: { MaxVCpuCount } }),
    }),
  )
  await eventually('the provider is active', async () => {
    const { CapacityProvider } = await lambda.send(
      new GetCapacityProviderCommand({ CapacityProviderName: name }),
    )
    return CapacityProvider?.State === 'Active' ? true : undefined
  })
}

async function createOn(
  lambda: LambdaClient,
  provider: string,
  FunctionName: string,
  files: Parameters<typeof zipOf>[0] = HELLO,
  more: Partial<CreateFunctionCommandInput> & { readonly concurrency?: number } = {},
) {
  const { concurrency, ...input } = more
  const created = await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile: await zipOf(files) },
      CapacityProviderConfig: {
        LambdaManagedInstancesCapacityProviderConfig: {
          CapacityProviderArn: providerArn(provider),
          ...(concurrency !== undefined && { PerExecutionEnvironmentMaxConcurrency: concurrency }),
        },
      },
      ...input,
    }),
  )
  await waitFor(lambda, FunctionName, '$LATEST', 'ActiveNonInvocable')
  return created
}

const waitFor = (lambda: LambdaClient, FunctionName: string, Qualifier: string, state: string) =>
  eventually(
    `${FunctionName}:${Qualifier} is ${state}`,
    async () => {
      const config = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName, Qualifier }))
      if (config.State === 'Failed' && state !== 'Failed') throw new Error(config.StateReason)
      return config.State === state && config.LastUpdateStatus !== 'InProgress' ? config : undefined
    },
    60_000,
  )

const scale = (lambda: LambdaClient, FunctionName: string, Qualifier: string, min: number, max: number) =>
  lambda.send(
    new PutFunctionScalingConfigCommand({
      FunctionName,
      Qualifier,
      FunctionScalingConfig: { MinExecutionEnvironments: min, MaxExecutionEnvironments: max },
    }),
  )

const publish = async (lambda: LambdaClient, FunctionName: string) => {
  const { Version = '' } = await lambda.send(new PublishVersionCommand({ FunctionName }))
  await waitFor(lambda, FunctionName, Version, 'Active')
  return Version
}

describe('capacity providers', () => {
  let program: Program
  let lambda: LambdaClient

  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
  })
  after(() => program.stop())

  /** How many there are of all functions, those that stop included. */
  const environments = async () => {
    const health = (await (await fetch(`${program.endpoint}/_lambent/health`)).json()) as {
      readonly environments: number
    }
    return health.environments
  }

  test('a provider is created, read, changed, listed, tagged and deleted', async () => {
    const CapacityProviderName = 'first'
    const created = await lambda.send(
      new CreateCapacityProviderCommand({
        CapacityProviderName,
        VpcConfig: { SubnetIds: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] },
        PermissionsConfig: { CapacityProviderOperatorRoleArn: OPERATOR },
        InstanceRequirements: { Architectures: ['x86_64'], ExcludedInstanceTypes: ['m5.8xlarge'] },
        Tags: { team: 'a' },
      }),
    )
    assert.equal(created.$metadata.httpStatusCode, 202)
    assert.equal(created.CapacityProvider?.State, 'Pending')
    const { CapacityProvider } = await eventually('it is active', async () => {
      const answer = await lambda.send(new GetCapacityProviderCommand({ CapacityProviderName }))
      return answer.CapacityProvider?.State === 'Active' ? answer : undefined
    })
    assert.deepEqual(CapacityProvider, {
      CapacityProviderArn: providerArn('first'),
      State: 'Active',
      VpcConfig: { SubnetIds: ['subnet-1', 'subnet-2'], SecurityGroupIds: ['sg-1'] },
      PermissionsConfig: { CapacityProviderOperatorRoleArn: OPERATOR },
      InstanceRequirements: { Architectures: ['x86_64'], ExcludedInstanceTypes: ['m5.8xlarge'] },
      CapacityProviderScalingConfig: { MaxVCpuCount: 400, ScalingMode: 'Auto' },
      LastModified: CapacityProvider?.LastModified,
    })
    const updated = await lambda.send(
      new UpdateCapacityProviderCommand({
        CapacityProviderName,
        CapacityProviderScalingConfig: { MaxVCpuCount: 30, ScalingMode: 'Auto' },
      }),
    )
    assert.equal(updated.$metadata.httpStatusCode, 202)
    assert.equal(updated.CapacityProvider?.CapacityProviderScalingConfig?.MaxVCpuCount, 30)
    const { CapacityProviders } = await lambda.send(new ListCapacityProvidersCommand({ State: 'Active' }))
    assert.ok(CapacityProviders?.some(({ CapacityProviderArn: arn }) => arn === providerArn('first')))
    await lambda.send(new TagResourceCommand({ Resource: providerArn('first'), Tags: { stage: 'test' } }))
    const { Tags } = await lambda.send(new ListTagsCommand({ Resource: providerArn('first') }))
    assert.deepEqual(Tags, { team: 'a', stage: 'test' })
    const deleted = await lambda.send(new DeleteCapacityProviderCommand({ CapacityProviderName }))
    assert.deepEqual([deleted.$metadata.httpStatusCode, deleted.CapacityProvider?.State], [202, 'Deleting'])
    const gone = await eventually('it is gone', async () => {
      const error = await errorOf(
        lambda.send(new GetCapacityProviderCommand({ CapacityProviderName })),
      ).catch(() => undefined)
      return error?.name === 'ResourceNotFoundException' ? error : undefined
    })
    assert.equal(gone.message, `Capacity provider not found: ${providerArn('first')}`)
  })

  test('a function on a provider runs what is published, never $LATEST', async () => {
    await createProvider(lambda, 'run')
    const created = await createOn(lambda, 'run', 'managed')
    assert.equal(created.State, 'Pending')
    assert.equal(
      created.CapacityProviderConfig?.LambdaManagedInstancesCapacityProviderConfig?.CapacityProviderArn,
      providerArn('run'),
    )
    const none = await errorOf(invoke(lambda, 'managed', {}))
    assert.equal(none.name, 'NoPublishedVersionException')
    assert.match(none.message, /because no published version exists/)

    const Version = await publish(lambda, 'managed')
    const numbered = await invoke(lambda, `managed:${Version}`, { n: 1 })
    assert.equal(numbered.executedVersion, Version)
    assert.deepEqual((numbered.payload as { event: object }).event, { n: 1 })
    assert.equal((numbered.payload as { type: string }).type, 'lambda-managed-instances')

    const first = await lambda.send(
      new PublishVersionCommand({ FunctionName: 'managed', PublishTo: 'LATEST_PUBLISHED' }),
    )
    assert.equal(first.Version, '$LATEST.PUBLISHED')
    await waitFor(lambda, 'managed', '$LATEST.PUBLISHED', 'Active')
    const unqualified = await invoke(lambda, 'managed', {})
    assert.equal(unqualified.executedVersion, '$LATEST.PUBLISHED')
    assert.match((unqualified.payload as { arn: string }).arn, /:function:managed:\$LATEST\.PUBLISHED$/)
    const latest = await errorOf(invoke(lambda, 'managed', {}, { Qualifier: '$LATEST' }))
    assert.equal(latest.name, 'InvalidParameterValueException')
    assert.match(latest.message, /can't be invoked with \$LATEST qualifier/)

    const { FunctionVersions } = await lambda.send(
      new ListFunctionVersionsByCapacityProviderCommand({ CapacityProviderName: 'run' }),
    )
    assert.deepEqual(
      FunctionVersions?.map(({ FunctionArn, State }) => [FunctionArn?.split(':function:')[1], State]),
      [
        ['managed:$LATEST', 'ActiveNonInvocable'],
        ['managed:$LATEST.PUBLISHED', 'Active'],
        ['managed:1', 'Active'],
      ],
    )
    const inUse = await errorOf(
      lambda.send(new DeleteCapacityProviderCommand({ CapacityProviderName: 'run' })),
    )
    assert.equal(inUse.name, 'ResourceConflictException')
    assert.match(inUse.message, /^The capacity provider is currently in use by 1 functions\. /)

    const { $metadata } = await lambda.send(new DeleteFunctionCommand({ FunctionName: 'managed' }))
    assert.equal($metadata.httpStatusCode, 202)
    await eventually('its environments are gone', async () =>
      (await environments()) === 0 ? true : undefined,
    )
    await lambda.send(new DeleteCapacityProviderCommand({ CapacityProviderName: 'run' }))
  })

  test('what is published last serves only when its environments are ready', async () => {
    await createProvider(lambda, 'roll')
    await createOn(lambda, 'roll', 'rolling', HELLO, { Publish: true, PublishTo: 'LATEST_PUBLISHED' })
    await waitFor(lambda, 'rolling', '$LATEST.PUBLISHED', 'Active')
    await lambda.send(
      new UpdateFunctionCodeCommand({
        FunctionName: 'rolling',
        ZipFile: await zipOf({
          'index.mjs': `
            await new Promise((resolve) => setTimeout(resolve, 1500))
            export const handler = async () => 'second'`,
        }),
        Publish: true,
        PublishTo: 'LATEST_PUBLISHED',
      }),
    )
    assert.notEqual((await invoke(lambda, 'rolling', {})).payload, 'second')
    await waitFor(lambda, 'rolling', '$LATEST.PUBLISHED', 'Active')
    const second = await eventually('the second one serves', async () => {
      const answer = await invoke(lambda, 'rolling', {})
      return answer.payload === 'second' ? answer : undefined
    })
    assert.equal(second.executedVersion, '$LATEST.PUBLISHED')
    const broken = await zipOf({ 'index.mjs': `throw new Error('broken')` })
    await lambda.send(
      new UpdateFunctionCodeCommand({
        FunctionName: 'rolling',
        ZipFile: broken,
        Publish: true,
        PublishTo: 'LATEST_PUBLISHED',
      }),
    )
    const failed = await eventually('the broken one has failed', async () => {
      const config = await lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: 'rolling', Qualifier: '$LATEST.PUBLISHED' }),
      )
      return config.LastUpdateStatus === 'Failed' ? config : undefined
    })
    assert.deepEqual(
      [failed.State, failed.LastUpdateStatusReasonCode],
      ['Active', 'FunctionError.RuntimeInitError'],
    )
    assert.equal((await invoke(lambda, 'rolling', {})).payload, 'second')
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'rolling' }))
  })

  test('the scaling configuration says how many environments there are, zero deactivates', async () => {
    await createProvider(lambda, 'scale')
    await createOn(lambda, 'scale', 'scaled')
    await eventually('nothing else runs', async () => ((await environments()) === 0 ? true : undefined))
    const Qualifier = await publish(lambda, 'scaled')
    assert.equal(await environments(), 3)
    const config = () =>
      lambda.send(new GetFunctionScalingConfigCommand({ FunctionName: 'scaled', Qualifier }))
    assert.deepEqual((await config()).AppliedFunctionScalingConfig, {})
    const put = await scale(lambda, 'scaled', Qualifier, 1, 2)
    assert.deepEqual([put.$metadata.httpStatusCode, put.FunctionState], [202, 'Active'])
    const limits = { MinExecutionEnvironments: 1, MaxExecutionEnvironments: 2 }
    await eventually('it is in effect', async () => {
      const { AppliedFunctionScalingConfig: applied } = await config()
      return applied?.MaxExecutionEnvironments === 2 ? true : undefined
    })
    assert.deepEqual((await config()).RequestedFunctionScalingConfig, limits)

    assert.equal((await scale(lambda, 'scaled', Qualifier, 0, 0)).FunctionState, 'Deactivating')
    await waitFor(lambda, 'scaled', Qualifier, 'Deactivated')
    await eventually('none is left', async () => ((await environments()) === 0 ? true : undefined))
    const refused = await errorOf(invoke(lambda, `scaled:${Qualifier}`, {}))
    assert.equal(refused.name, 'ResourceConflictException')
    assert.equal((await scale(lambda, 'scaled', Qualifier, 1, 1)).FunctionState, 'Pending')
    assert.deepEqual(await errorOf(scale(lambda, 'scaled', Qualifier, 1, 2)), {
      name: 'ResourceConflictException',
      message:
        'The operation cannot be performed at this time. The function is currently in the following state: Pending',
      status: 409,
    })
    await waitFor(lambda, 'scaled', Qualifier, 'Active')
    assert.equal(await environments(), 1)
    assert.equal((await invoke(lambda, `scaled:${Qualifier}`, {})).status, 200)
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'scaled' }))
  })

  test('MaxVCpuCount of the provider bounds its environments, UpdateCapacityProvider raises it', async () => {
    await createProvider(lambda, 'small', 2)
    await createOn(lambda, 'small', 'bounded')
    const Qualifier = await publish(lambda, 'bounded')
    await scale(lambda, 'bounded', Qualifier, 4, 4)
    const applied = async () => {
      const config = await lambda.send(
        new GetFunctionScalingConfigCommand({ FunctionName: 'bounded', Qualifier }),
      )
      return config.AppliedFunctionScalingConfig?.MinExecutionEnvironments
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
    assert.equal(await applied(), undefined)
    await lambda.send(
      new UpdateCapacityProviderCommand({
        CapacityProviderName: 'small',
        CapacityProviderScalingConfig: { MaxVCpuCount: 4 },
      }),
    )
    await scale(lambda, 'bounded', Qualifier, 4, 4)
    await eventually('four are there', async () => ((await applied()) === 4 ? true : undefined))
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'bounded' }))
  })

  test('an update of the configuration moves $LATEST to another provider', async () => {
    await createProvider(lambda, 'from')
    await createProvider(lambda, 'to')
    await createOn(lambda, 'from', 'moved')
    const { CapacityProviderConfig } = await lambda.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: 'moved',
        CapacityProviderConfig: {
          LambdaManagedInstancesCapacityProviderConfig: {
            CapacityProviderArn: providerArn('to'),
            PerExecutionEnvironmentMaxConcurrency: 5,
          },
        },
      }),
    )
    assert.deepEqual(CapacityProviderConfig?.LambdaManagedInstancesCapacityProviderConfig, {
      CapacityProviderArn: providerArn('to'),
      PerExecutionEnvironmentMaxConcurrency: 5,
      ExecutionEnvironmentMemoryGiBPerVCpu: 2,
    })
    await lambda.send(new DeleteCapacityProviderCommand({ CapacityProviderName: 'from' }))
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'moved' }))
  })
})

describe('several invocations in one environment', () => {
  let program: Program
  let lambda: LambdaClient

  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    await createProvider(lambda, 'group')
  })
  after(() => program.stop())

  /** A version with one environment. */
  const one = async (
    t: TestContext,
    name: string,
    files: Parameters<typeof zipOf>[0],
    more: Parameters<typeof createOn>[4] = {},
  ) => {
    await createOn(lambda, 'group', name, files, more)
    t.after(() => lambda.send(new DeleteFunctionCommand({ FunctionName: name })))
    const Qualifier = await publish(lambda, name)
    await scale(lambda, name, Qualifier, 1, 1)
    await eventually('one environment is left', async () => {
      const config = await lambda.send(new GetFunctionScalingConfigCommand({ FunctionName: name, Qualifier }))
      return config.AppliedFunctionScalingConfig?.MaxExecutionEnvironments === 1 ? true : undefined
    })
    return `${name}:${Qualifier}`
  }
  const times = <T>(count: number, run: (index: number) => Promise<T>) =>
    Promise.all(Array.from({ length: count }, (_, index) => run(index)))

  /** Waits in the handler until as many as `event.together` are in it, so that only concurrency lets anybody out. */
  const TOGETHER = {
    'index.mjs': `
      import { threadId } from 'node:worker_threads'
      let inside = 0
      let all
      let open = new Promise((resolve) => (all = resolve))
      export const handler = async (event, context) => {
        inside++
        if (inside === event.together) all()
        await open
        console.log('met', event.n)
        return {
          n: event.n,
          pid: process.pid,
          threadId,
          requestId: context.awsRequestId,
          store: awslambda.InvokeStore.getRequestId(),
          max: process.env.AWS_LAMBDA_MAX_CONCURRENCY,
        }
      }`,
  }

  for (const Runtime of ['nodejs22.x', 'nodejs24.x'] as const) {
    test(`${Runtime}: as many as are allowed run at once, in one process, each with its own context`, async (t) => {
      const target = await one(t, `together-${Runtime.slice(6, 8)}`, TOGETHER, {
        Runtime,
        concurrency: 5,
      })
      const answers = await times(5, (n) => invoke(lambda, target, { n, together: 5 }))
      const payloads = answers.map(({ payload }) => payload as Record<string, unknown>)
      assert.deepEqual(
        payloads.map(({ n }) => n),
        [0, 1, 2, 3, 4],
      )
      assert.equal(new Set(payloads.map(({ pid }) => pid)).size, 1)
      for (const [index, { requestId, store, max }] of payloads.entries()) {
        assert.equal(requestId, answers[index]?.requestId)
        assert.equal(store, requestId)
        assert.equal(max, '5')
      }
    })
  }

  test('one more than fits is throttled, and the others are not disturbed', async (t) => {
    const target = await one(t, 'full', TOGETHER, { concurrency: 2 })
    const first = invoke(lambda, target, { n: 1, together: 99 })
    await new Promise((resolve) => setTimeout(resolve, 300))
    const second = invoke(lambda, target, { n: 2, together: 99 })
    await new Promise((resolve) => setTimeout(resolve, 300))
    const refused = await errorOf(invoke(lambda, target, { n: 3, together: 99 }))
    assert.equal(refused.name, 'TooManyRequestsException')
    const timeouts = await Promise.all([first, second])
    for (const { payload } of timeouts) {
      assert.equal((payload as { errorType: string }).errorType, 'Sandbox.Timedout')
    }
  })

  test('with more vCPUs there is a worker thread for each, and work for all of them', async (t) => {
    const target = await one(t, 'threads', TOGETHER, {
      MemorySize: 4096,
      concurrency: 4,
      Environment: { Variables: { AWS_LAMBDA_NODEJS_WORKER_COUNT: '2' } },
    })
    const answers = await times(4, (n) => invoke(lambda, target, { n, together: 2 }))
    const threads = answers.map(({ payload }) => (payload as { threadId: number }).threadId)
    assert.equal(new Set(threads).size, 2)
  })

  test('a timeout ends its own invocation only, and what it left behind answers nobody', async (t) => {
    const target = await one(
      t,
      'slow',
      {
        'index.mjs': `
          export const handler = async ({ ms }) => {
            await new Promise((resolve) => setTimeout(resolve, ms))
            return ms
          }`,
      },
      { Timeout: 2, concurrency: 4 },
    )
    const [late, good] = await Promise.all([
      invoke(lambda, target, { ms: 3000 }),
      invoke(lambda, target, { ms: 1800 }),
    ])
    assert.equal((late.payload as { errorType: string }).errorType, 'Sandbox.Timedout')
    assert.equal(good.payload, 1800)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    assert.equal((await invoke(lambda, target, { ms: 1 })).payload, 1)
  })

  test('errors are those of their invocations; a process that ends is replaced', async (t) => {
    const target = await one(
      t,
      'errors',
      {
        'index.mjs': `
          const born = Math.random()
          export const handler = async ({ n, kind }) => {
            await new Promise((resolve) => setTimeout(resolve, 200))
            if (kind === 'throw') throw new TypeError('number ' + n)
            if (kind === 'exit') process.exit(7)
            return { n, born }
          }`,
      },
      { concurrency: 8 },
    )
    const answers = await times(6, (n) => invoke(lambda, target, { n, kind: n % 2 ? 'throw' : 'fine' }))
    for (const [n, answer] of answers.entries()) {
      const payload = answer.payload as { errorType?: string; errorMessage?: string; n?: number }
      if (n % 2) assert.deepEqual([payload.errorType, payload.errorMessage], ['TypeError', `number ${n}`])
      else assert.equal(payload.n, n)
    }
    const { payload: before } = await invoke(lambda, target, { n: 0 })
    for (const { payload } of await times(2, (n) => invoke(lambda, target, { n, kind: 'exit' }))) {
      assert.equal((payload as { errorType: string }).errorType, 'Runtime.ExitError')
    }
    const next = await eventually('another environment takes its place', async () => {
      const answer = await invoke(lambda, target, { n: 1 }).catch(() => undefined)
      return answer?.functionError === undefined ? answer : undefined
    })
    assert.notEqual((next.payload as { born: number }).born, (before as { born: number }).born)
  })

  test('log records are JSON, each with the id of its invocation', async (t) => {
    const target = await one(t, 'logged', TOGETHER, { concurrency: 3 })
    const answers = await times(3, (n) => invoke(lambda, target, { n, together: 3 }))
    const logs = logsClient(program.endpoint)
    const records = await eventually('all three have logged', async () => {
      const parsed = (await logMessages(logs, 'logged')).map(
        (message) => JSON.parse(message) as { message?: string; requestId?: string; type?: string },
      )
      const met = parsed.filter(({ message }) => message?.startsWith('met'))
      const reports = parsed.filter(({ type }) => type === 'platform.report')
      return met.length === 3 && reports.length === 3 ? met : undefined
    })
    for (const { message, requestId } of records) {
      assert.equal(requestId, answers[Number(message?.slice(4))]?.requestId)
    }
  })

  test('an idle environment whose process has ended is replaced before anybody asks for it', async (t) => {
    const target = await one(t, 'leaver', {
      'index.mjs': `
        export const handler = async (event) => {
          if (event === 'leave') setTimeout(() => process.kill(process.pid, 'SIGKILL'), 100)
          return event
        }`,
    })
    const starts = async () =>
      (await logMessages(logsClient(program.endpoint), 'leaver')).filter((line) =>
        line.includes('"platform.initStart"'),
      ).length
    assert.equal((await invoke(lambda, target, '"leave"')).payload, 'leave')
    const before = await starts()
    await eventually('another one has started', async () => ((await starts()) > before ? true : undefined))
    const again = await eventually('it serves', () => invoke(lambda, target, 1).catch(() => undefined))
    assert.equal(again.payload, 1)
  })

  test('extensions run beside it, hear of its end only, and one that ends takes the environment with it', async (t) => {
    const watcher = `#!/usr/bin/python3
import json, os, threading, time, urllib.request
API = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API'] + '/2020-01-01/extension/'
def call(path, headers, body=None):
    with urllib.request.urlopen(urllib.request.Request(API + path, body, headers)) as answer:
        return dict(answer.headers), answer.read()
def die():
    while not os.path.exists('/tmp/die'): time.sleep(0.05)
    os._exit(3)
threading.Thread(target=die, daemon=True).start()
events = json.dumps({'events': ['INVOKE', 'SHUTDOWN']}).encode()
me = call('register', {'Lambda-Extension-Name': 'watcher'}, events)[0]['Lambda-Extension-Identifier']
while True:
    event = json.loads(call('event/next', {'Lambda-Extension-Identifier': me})[1])
    print('watcher heard', event['eventType'], flush=True)
    if event['eventType'] == 'SHUTDOWN': break
`
    const layer = await lambda.send(
      new PublishLayerVersionCommand({
        LayerName: 'watcher',
        Content: { ZipFile: await zipOf({ 'extensions/watcher': { content: watcher, executable: true } }) },
      }),
    )
    const files = {
      'index.mjs': `
        import { writeFileSync } from 'node:fs'
        export const handler = async (event) => {
          if (event === 'die') writeFileSync('/tmp/die', '')
          await new Promise((resolve) => setTimeout(resolve, event === 'die' ? 20_000 : 300))
          return event
        }`,
    }
    const target = await one(t, 'watched', files, {
      concurrency: 3,
      Timeout: 30,
      Layers: [layer.LayerVersionArn ?? ''],
    })
    const answers = await times(3, (n) => invoke(lambda, target, n))
    assert.deepEqual(
      answers.map(({ payload }) => payload),
      [0, 1, 2],
    )
    const { payload } = await invoke(lambda, target, '"die"')
    assert.equal((payload as { errorType: string }).errorType, 'Extension.Crash')
    const again = await eventually('another environment is there', () =>
      invoke(lambda, target, 7).catch(() => undefined),
    )
    assert.equal(again.payload, 7)
    await scale(lambda, 'watched', target.slice(target.indexOf(':') + 1), 0, 0)
    const heard = await eventually('the extension hears of the end', async () => {
      const lines = (await logMessages(logsClient(program.endpoint), 'watched')).filter((line) =>
        line.includes('watcher heard'),
      )
      return lines.some((line) => line.includes('SHUTDOWN')) ? lines : undefined
    })
    assert.ok(heard.every((line) => !line.includes('INVOKE')))
  })

  test('answers are streamed, side by side', async (t) => {
    const target = await one(
      t,
      'streams',
      {
        'index.mjs': `
          export const handler = awslambda.streamifyResponse(async ({ n }, stream) => {
            stream.setContentType('text/plain')
            for (let part = 0; part < 3; part++) {
              stream.write(['[' + n, ',1', ',2]'][part])
              await new Promise((resolve) => setTimeout(resolve, 50))
            }
            if (n === 2) throw new Error('in the middle')
            stream.end()
          })`,
      },
      { concurrency: 3 },
    )
    const results = await times(3, async (n) => {
      const { EventStream } = await lambda.send(
        new InvokeWithResponseStreamCommand({
          FunctionName: target,
          Payload: Buffer.from(JSON.stringify({ n })),
        }),
      )
      let text = ''
      let code: string | undefined
      for await (const event of EventStream ?? []) {
        text += Buffer.from(event.PayloadChunk?.Payload ?? []).toString()
        code ??= event.InvokeComplete?.ErrorCode
      }
      return { text, code }
    })
    assert.deepEqual(results, [
      { text: '[0,1,2]', code: undefined },
      { text: '[1,1,2]', code: undefined },
      { text: '[2,1,2]', code: 'Unhandled' },
    ])
    assert.deepEqual((await invoke(lambda, target, { n: 0 })).payload, [0, 1, 2])
  })

  test('provided.al2023: a runtime of the customer polls as often as it likes', async (t) => {
    const target = await one(
      t,
      'custom',
      {
        bootstrap: {
          executable: true,
          content: `#!/bin/sh
          api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
          worker() {
            while true; do
              headers=$(mktemp)
              body=$(curl -sS -D "$headers" "$api/next") || exit 1
              id=$(tr -d '\\r' < "$headers" | sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p')
              sleep 1
              curl -sS -o /dev/null -d "{\\"worker\\":$1,\\"event\\":$body}" "$api/$id/response"
            done
          }
          for n in $(seq "$AWS_LAMBDA_MAX_CONCURRENCY"); do worker "$n" & done
          wait`,
        },
      },
      { Runtime: 'provided.al2023', Handler: 'bootstrap', concurrency: 4 },
    )
    const before = Date.now()
    const answers = await times(4, (n) => invoke(lambda, target, { n }))
    const tookMs = Date.now() - before
    const payloads = answers.map(({ payload }) => payload as { worker: number; event: { n: number } })
    assert.deepEqual(
      payloads.map(({ event }) => event.n),
      [0, 1, 2, 3],
    )
    assert.equal(new Set(payloads.map(({ worker }) => worker)).size, 4)
    assert.ok(tookMs < 3000, `four seconds of waiting took ${tookMs} ms`)
  })

  test('python3.13: a process for each invocation; one that ends is reported and replaced', async (t) => {
    const target = await one(
      t,
      'python',
      {
        'index.py': `
import os, time, logging
born = time.time()
def handler(event, context):
    if event.get('exit') is not None:
        os._exit(event['exit'])
    if event.get('raise'):
        raise ValueError('number %d' % event['n'])
    logging.getLogger().warning('at %d', event['n'])
    # Long enough for all four to be there at once, on a busy machine too.
    time.sleep(2)
    return {'n': event['n'], 'pid': os.getpid(), 'id': context.aws_request_id}
`,
      },
      { Runtime: 'python3.13', concurrency: 4 },
    )
    const answers = await times(4, (n) => invoke(lambda, target, { n }))
    const payloads = answers.map(({ payload }) => payload as { n: number; pid: number; id: string })
    assert.equal(new Set(payloads.map(({ pid }) => pid)).size, 4)
    for (const [n, payload] of payloads.entries()) {
      assert.deepEqual([payload.n, payload.id], [n, answers[n]?.requestId])
    }
    const [ended, raised, fine] = await Promise.all([
      invoke(lambda, target, { n: 0, exit: 3 }),
      invoke(lambda, target, { n: 1, raise: true }),
      invoke(lambda, target, { n: 2 }),
    ])
    const { errorType, errorMessage } = ended.payload as { errorType: string; errorMessage: string }
    assert.equal(errorType, 'Runtime.ExitError')
    assert.equal(
      errorMessage,
      `RequestId: ${ended.requestId} Error: Runtime exited with error: exit status 3`,
    )
    assert.equal((raised.payload as { errorMessage: string }).errorMessage, 'number 1')
    assert.equal((fine.payload as { n: number }).n, 2)
    const again = await times(4, (n) => invoke(lambda, target, { n }))
    assert.equal(new Set(again.map(({ payload }) => (payload as { pid: number }).pid)).size, 4)
  })

  test('a busy version gets more environments before it is full, up to its maximum', async () => {
    const name = 'growing'
    await createOn(lambda, 'group', name, TOGETHER, { concurrency: 4, Timeout: 10 })
    const Qualifier = await publish(lambda, name)
    await scale(lambda, name, Qualifier, 1, 1)
    const target = `${name}:${Qualifier}`
    const count = async () => {
      const health = (await (await fetch(`${program.endpoint}/_lambent/health`)).json()) as {
        readonly environments: number
      }
      return health.environments
    }
    await eventually('one environment is left', async () => ((await count()) === 1 ? true : undefined))
    await scale(lambda, name, Qualifier, 1, 2)
    const held = times(3, (n) => invoke(lambda, target, { n, together: 99 }))
    held.catch(() => {})
    await eventually('a second one came', async () => ((await count()) === 2 ? true : undefined))
    await lambda.send(new DeleteFunctionCommand({ FunctionName: name }))
    await held.catch(() => {})
  })
})

test('capacity providers and their environments are there again after kill -9', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  let program = await startProgram({ dataDirectory })
  let lambda = lambdaClient(program.endpoint)
  await createProvider(lambda, 'durable')
  await createOn(lambda, 'durable', 'survivor')
  const Qualifier = await publish(lambda, 'survivor')
  await scale(lambda, 'survivor', Qualifier, 2, 2)
  // Asked for and answered, perhaps not in effect yet; the other provider's deletion may be under way.
  await createProvider(lambda, 'doomed')
  await lambda.send(new DeleteCapacityProviderCommand({ CapacityProviderName: 'doomed' }))
  await program.kill9()

  program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  lambda = lambdaClient(program.endpoint)
  await eventually('only the one provider is left', async () => {
    const { CapacityProviders = [] } = await lambda.send(new ListCapacityProvidersCommand({}))
    return CapacityProviders.length === 1 && CapacityProviders[0]?.State === 'Active' ? true : undefined
  })
  await eventually('two environments are ready again, before anybody has invoked', async () => {
    const health = (await (await fetch(`${program.endpoint}/_lambent/health`)).json()) as {
      readonly environments: number
    }
    return health.environments === 2 ? true : undefined
  })
  const { AppliedFunctionScalingConfig } = await eventually('it is in effect', async () => {
    const config = await lambda.send(
      new GetFunctionScalingConfigCommand({ FunctionName: 'survivor', Qualifier }),
    )
    return config.AppliedFunctionScalingConfig?.MinExecutionEnvironments === 2 ? config : undefined
  })
  assert.equal(AppliedFunctionScalingConfig?.MaxExecutionEnvironments, 2)
  assert.equal((await invoke(lambda, `survivor:${Qualifier}`, {})).status, 200)
})
