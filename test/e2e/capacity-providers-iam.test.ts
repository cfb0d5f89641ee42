/** Capacity providers under --auth iam: which permissions their operations and the functions on them need. */
// parity: CreateCapacityProvider GetCapacityProvider ListCapacityProviders UpdateCapacityProvider DeleteCapacityProvider
// parity: ListFunctionVersionsByCapacityProvider PutFunctionScalingConfig GetFunctionScalingConfig TagResource
// parity: CreateFunction UpdateFunctionConfiguration
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateCapacityProviderCommand,
  CreateFunctionCommand,
  DeleteCapacityProviderCommand,
  GetCapacityProviderCommand,
  GetFunctionScalingConfigCommand,
  LambdaClient,
  ListCapacityProvidersCommand,
  ListFunctionVersionsByCapacityProviderCommand,
  PutFunctionScalingConfigCommand,
  TagResourceCommand,
  UpdateCapacityProviderCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'

import { errorOf, eventually, makeExecutionRole, ROLE, zipOf } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const OWNER = { accessKeyId: 'AKIDOWNER', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const OPERATOR = 'arn:aws:iam::000000000000:role/operator'
const arnOf = (name: string) => `arn:aws:lambda:us-east-1:000000000000:capacity-provider:${name}`
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:on'
const onProvider = (name: string) => ({
  LambdaManagedInstancesCapacityProviderConfig: { CapacityProviderArn: arnOf(name) },
})
const create = (CapacityProviderName: string, Tags?: Record<string, string>) =>
  new CreateCapacityProviderCommand({
    CapacityProviderName,
    VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
    PermissionsConfig: { CapacityProviderOperatorRoleArn: OPERATOR },
    ...(Tags && { Tags }),
  })

describe('capacity providers and policies', () => {
  let program: Program
  before(async () => {
    program = await startProgram({
      args: [
        '--auth=iam',
        `--access-key-id=${OWNER.accessKeyId}`,
        `--secret-access-key=${OWNER.secretAccessKey}`,
      ],
    })
    await makeExecutionRole(program.endpoint, OWNER)
  })
  after(() => program.stop())

  const common = (credentials: typeof OWNER) => ({
    endpoint: program.endpoint,
    region: 'us-east-1',
    credentials,
    maxAttempts: 1,
  })
  /** A client for a user with these permissions, and how to give it others. */
  const userWith = async (UserName: string, ...first: readonly (readonly [string, string])[]) => {
    const iam = new IAMClient(common(OWNER))
    const allow = (...allowed: readonly (readonly [string, string])[]) =>
      iam.send(
        new PutUserPolicyCommand({
          UserName,
          PolicyName: 'only',
          PolicyDocument: JSON.stringify({
            Version: '2012-10-17',
            Statement: allowed.map(([Action, Resource]) => ({ Effect: 'Allow', Action, Resource })),
          }),
        }),
      )
    await iam.send(new CreateUserCommand({ UserName }))
    await allow(...first)
    const { AccessKey: key } = await iam.send(new CreateAccessKeyCommand({ UserName }))
    const credentials = { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' }
    return { lambda: new LambdaClient(common(credentials)), allow }
  }
  const denied = (user: string, action: string, resource: string) => ({
    name: 'AccessDeniedException',
    status: 403,
    message:
      `User: arn:aws:iam::000000000000:user/${user} is not authorized to perform: ${action} on resource: ${resource} ` +
      `because no identity-based policy allows the ${action} action`,
  })
  const activeProvider = async (name: string) => {
    const lambda = new LambdaClient(common(OWNER))
    await lambda.send(create(name))
    await eventually('the provider is active', async () => {
      const { CapacityProvider } = await lambda.send(
        new GetCapacityProviderCommand({ CapacityProviderName: name }),
      )
      return CapacityProvider?.State === 'Active' ? true : undefined
    })
  }

  test('each operation on a provider needs its own action on its ARN', async () => {
    await activeProvider('mine')
    await activeProvider('other')
    const { lambda, allow } = await userWith('keeper', ['lambda:GetCapacityProvider', arnOf('mine')])
    await lambda.send(new GetCapacityProviderCommand({ CapacityProviderName: 'mine' }))
    assert.deepEqual(
      await errorOf(lambda.send(new GetCapacityProviderCommand({ CapacityProviderName: 'other' }))),
      denied('keeper', 'lambda:GetCapacityProvider', arnOf('other')),
    )
    const CapacityProviderName = 'mine'
    const calls = [
      [
        'UpdateCapacityProvider',
        () =>
          lambda.send(
            new UpdateCapacityProviderCommand({
              CapacityProviderName,
              CapacityProviderScalingConfig: { MaxVCpuCount: 20 },
            }),
          ),
      ],
      [
        'ListFunctionVersionsByCapacityProvider',
        () => lambda.send(new ListFunctionVersionsByCapacityProviderCommand({ CapacityProviderName })),
      ],
      [
        'TagResource',
        () => lambda.send(new TagResourceCommand({ Resource: arnOf('mine'), Tags: { team: 'a' } })),
      ],
      [
        'DeleteCapacityProvider',
        () => lambda.send(new DeleteCapacityProviderCommand({ CapacityProviderName })),
      ],
    ] as const
    for (const [action, call] of calls) {
      await allow(['lambda:GetCapacityProvider', arnOf('mine')])
      assert.deepEqual(await errorOf(call()), denied('keeper', `lambda:${action}`, arnOf('mine')))
      await allow([`lambda:${action}`, arnOf('mine')])
      await call()
    }
    assert.deepEqual(
      await errorOf(lambda.send(new ListCapacityProvidersCommand({}))),
      denied('keeper', 'lambda:ListCapacityProviders', '*'),
    )
    await allow(['lambda:ListCapacityProviders', '*'])
    await lambda.send(new ListCapacityProvidersCommand({}))
  })

  test('who creates a provider passes its operator role, and tags it', async () => {
    const { lambda, allow } = await userWith('maker', ['lambda:CreateCapacityProvider', arnOf('*')])
    assert.deepEqual(await errorOf(lambda.send(create('made'))), denied('maker', 'iam:PassRole', OPERATOR))
    const both = [
      ['lambda:CreateCapacityProvider', arnOf('*')],
      ['iam:PassRole', OPERATOR],
    ] as const
    await allow(...both)
    assert.equal((await lambda.send(create('made'))).CapacityProvider?.State, 'Pending')
    assert.deepEqual(
      await errorOf(lambda.send(create('tagged', { team: 'a' }))),
      denied('maker', 'lambda:TagResource', arnOf('tagged')),
    )
    await allow(...both, ['lambda:TagResource', arnOf('tagged')])
    await lambda.send(create('tagged', { team: 'a' }))
  })

  test('who puts a function on a provider passes the provider', async () => {
    await activeProvider('group')
    await activeProvider('group2')
    const { lambda, allow } = await userWith(
      'developer',
      ['lambda:CreateFunction', '*'],
      ['iam:PassRole', ROLE],
    )
    const createOn = async () =>
      lambda.send(
        new CreateFunctionCommand({
          FunctionName: 'on',
          Runtime: 'nodejs22.x',
          Handler: 'index.handler',
          Role: ROLE,
          Code: { ZipFile: await zipOf({ 'index.mjs': 'export const handler = async () => 1' }) },
          CapacityProviderConfig: onProvider('group'),
        }),
      )
    const pass = 'lambda:PassCapacityProvider'
    assert.deepEqual(await errorOf(createOn()), denied('developer', pass, arnOf('group')))
    await allow(['lambda:CreateFunction', '*'], ['iam:PassRole', ROLE], [pass, arnOf('group')])
    await createOn()
    const move = () =>
      lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: 'on',
          CapacityProviderConfig: onProvider('group2'),
        }),
      )
    await allow(['lambda:UpdateFunctionConfiguration', FUNCTION])
    assert.deepEqual(await errorOf(move()), denied('developer', pass, arnOf('group2')))

    const scaling = { FunctionName: 'on', Qualifier: '$LATEST.PUBLISHED' }
    const calls = [
      ['GetFunctionScalingConfig', () => lambda.send(new GetFunctionScalingConfigCommand(scaling))],
      [
        'PutFunctionScalingConfig',
        () =>
          lambda.send(
            new PutFunctionScalingConfigCommand({
              ...scaling,
              FunctionScalingConfig: { MinExecutionEnvironments: 0, MaxExecutionEnvironments: 0 },
            }),
          ),
      ],
    ] as const
    for (const [action, call] of calls) {
      const resource = `${FUNCTION}:$LATEST.PUBLISHED`
      assert.deepEqual(await errorOf(call()), denied('developer', `lambda:${action}`, resource))
      await allow([`lambda:${action}`, resource])
      // Nothing is published yet: allowed, and not found.
      assert.equal((await errorOf(call())).name, 'ResourceNotFoundException')
    }
  })
})
