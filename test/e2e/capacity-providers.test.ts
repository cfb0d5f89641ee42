/** Lambda Managed Instances through the SDK: capacity providers, functions on them, their environments. */
// parity: CreateCapacityProvider GetCapacityProvider ListCapacityProviders UpdateCapacityProvider DeleteCapacityProvider
// parity: ListFunctionVersionsByCapacityProvider PutFunctionScalingConfig GetFunctionScalingConfig
// parity: CreateFunction PublishVersion UpdateFunctionCode UpdateFunctionConfiguration Invoke TagResource ListTags
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateCapacityProviderCommand,
  CreateFunctionCommand,
  DeleteCapacityProviderCommand,
  DeleteFunctionCommand,
  GetCapacityProviderCommand,
  GetFunctionConfigurationCommand,
  GetFunctionScalingConfigCommand,
  ListCapacityProvidersCommand,
  ListFunctionVersionsByCapacityProviderCommand,
  ListTagsCommand,
  PublishVersionCommand,
  PutFunctionScalingConfigCommand,
  TagResourceCommand,
  UpdateCapacityProviderCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type CreateFunctionCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { errorOf, eventually, invoke, lambdaClient, ROLE, zipOf } from '../support/clients.ts'
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
  files: Readonly<Record<string, string>> = HELLO,
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
