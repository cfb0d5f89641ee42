/** How many capacity providers there may be, and requests to one that is on its way out. */
// parity: CreateCapacityProvider/CapacityProviderLimitExceededException
// parity: UpdateCapacityProvider/ResourceConflictException
// parity: CreateFunction/FunctionVersionsPerCapacityProviderLimitExceededException
// parity: PublishVersion/FunctionVersionsPerCapacityProviderLimitExceededException
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  CreateCapacityProviderCommand,
  CreateFunctionCommand,
  DeleteCapacityProviderCommand,
  PublishVersionCommand,
  UpdateCapacityProviderCommand,
} from '@aws-sdk/client-lambda'

import { MAX_CAPACITY_PROVIDERS, MAX_VERSIONS_PER_CAPACITY_PROVIDER } from '#contracts/limits.ts'

import { errorOf, eventually, lambdaClient, ROLE, zipOf } from '../support/clients.ts'
import { startProgram } from '../support/program.ts'

const AT_ONCE = 8

test('limits of capacity providers', async (t) => {
  const program = await startProgram()
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  const create = (at: number) =>
    lambda.send(
      new CreateCapacityProviderCommand({
        CapacityProviderName: `cp-${at}`,
        VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
        PermissionsConfig: { CapacityProviderOperatorRoleArn: 'arn:aws:iam::000000000000:role/operator' },
      }),
    )
  const left = Array.from({ length: MAX_CAPACITY_PROVIDERS }, (_, at) => at).values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const at of left) await create(at)
    }),
  )
  const tooMany = await errorOf(create(MAX_CAPACITY_PROVIDERS))
  assert.deepEqual([tooMany.name, tooMany.status], ['CapacityProviderLimitExceededException', 400])

  // One is deleted and changed at once; where the change comes too early or too late it is the next one's turn.
  const rest = Array.from({ length: MAX_CAPACITY_PROVIDERS }, (_, at) => `cp-${at}`).values()
  const conflict = await eventually('a change comes between', async () => {
    const CapacityProviderName = rest.next().value
    const update = () =>
      lambda.send(
        new UpdateCapacityProviderCommand({
          CapacityProviderName,
          CapacityProviderScalingConfig: { MaxVCpuCount: 4 },
        }),
      )
    const answers = await Promise.allSettled([
      update(),
      lambda.send(new DeleteCapacityProviderCommand({ CapacityProviderName })),
      update(),
      update(),
      update(),
    ])
    for (const answer of answers) {
      const told = answer.status === 'rejected' && (await errorOf(Promise.reject(answer.reason as Error)))
      if (told && told.name === 'ResourceConflictException') return told
    }
  })
  assert.deepEqual(conflict, {
    name: 'ResourceConflictException',
    message:
      'The operation cannot be performed at this time. The capacity provider is currently in the following state: Deleting',
    status: 409,
  })
  await create(MAX_CAPACITY_PROVIDERS)
})

test('how many versions one capacity provider takes', async (t) => {
  const program = await startProgram()
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  const { CapacityProvider } = await lambda.send(
    new CreateCapacityProviderCommand({
      CapacityProviderName: 'cp',
      VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
      PermissionsConfig: { CapacityProviderOperatorRoleArn: 'arn:aws:iam::000000000000:role/operator' },
    }),
  )
  const ZipFile = await zipOf({ 'index.mjs': 'export const handler = async () => 1' })
  const create = (at: number) =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName: `fn-${at}`,
        Runtime: 'nodejs26.x',
        Role: ROLE,
        Handler: 'index.handler',
        Code: { ZipFile },
        MemorySize: 2048,
        CapacityProviderConfig: {
          LambdaManagedInstancesCapacityProviderConfig: {
            CapacityProviderArn: CapacityProvider?.CapacityProviderArn,
          },
        },
      }),
    )
  const first = await eventually('the provider may be used', () => create(0).catch(() => undefined))
  for (let at = 1; at < MAX_VERSIONS_PER_CAPACITY_PROVIDER; at++) await create(at)
  const told = {
    name: 'FunctionVersionsPerCapacityProviderLimitExceededException',
    message:
      'The maximum number of function versions that can be associated with a single capacity provider has been exceeded.',
    status: 400,
  }
  assert.deepEqual(await errorOf(create(MAX_VERSIONS_PER_CAPACITY_PROVIDER)), told)
  const { FunctionName } = first
  const published = await eventually('the first is ready', async () => {
    const refused = await errorOf(lambda.send(new PublishVersionCommand({ FunctionName })))
    return refused.name === 'ResourceConflictException' ? undefined : refused
  })
  assert.deepEqual(published, told)
})
