/** How many capacity providers there may be, and requests to one that is on its way out. */
// parity: CreateCapacityProvider/CapacityProviderLimitExceededException
// parity: UpdateCapacityProvider/ResourceConflictException
import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  CreateCapacityProviderCommand,
  DeleteCapacityProviderCommand,
  UpdateCapacityProviderCommand,
} from '@aws-sdk/client-lambda'

import { MAX_CAPACITY_PROVIDERS } from '#contracts/limits.ts'

import { errorOf, eventually, lambdaClient } from '../support/clients.ts'
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
