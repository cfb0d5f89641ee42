/** Policies of repositories, kept and given back: who may use them, and when images expire (which they don't here). */
import type {
  DeleteLifecyclePolicyRequest,
  DeleteRepositoryPolicyRequest,
  GetLifecyclePolicyRequest,
  GetRepositoryPolicyRequest,
  PutLifecyclePolicyRequest,
  SetRepositoryPolicyRequest,
} from '@aws-sdk/client-ecr'

import type { EcrRepository } from '#contracts/ecr.ts'
import type { Clock } from '#kernel/clock.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { invalid, noSuchLifecyclePolicy, noSuchPolicy } from './ecr-errors.ts'
import type { EcrRepositories } from './repositories.ts'

const named = ({ account, name }: EcrRepository) => ({ registryId: account, repositoryName: name })

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

export function createPolicyOperations({
  repositories,
  clock,
}: {
  readonly repositories: EcrRepositories
  readonly clock: Pick<Clock, 'now'>
}): OperationHandlers {
  const { require, change } = repositories

  const setPolicy: OperationHandler<SetRepositoryPolicyRequest, object> = async (input, context) => {
    const { policyText: policy = '' } = input
    const isPolicy = isJsonObject(policy) && Object.hasOwn(JSON.parse(policy) as object, 'Statement')
    if (!isPolicy) throw invalid('PolicyText', 'Invalid repository policy provided')
    const after = await change(context, input, (repository) => ({ ...repository, policy }))
    return { ...named(after), policyText: policy }
  }
  const getPolicy: OperationHandler<GetRepositoryPolicyRequest, object> = async (input, context) => {
    const { doc } = await require(context, input)
    if (doc.policy === undefined) throw noSuchPolicy(doc, doc.name)
    return { ...named(doc), policyText: doc.policy }
  }
  const deletePolicy: OperationHandler<DeleteRepositoryPolicyRequest, object> = async (input, context) => {
    let policyText = ''
    const after = await change(context, input, ({ policy, ...repository }) => {
      if (policy === undefined) throw noSuchPolicy(repository, repository.name)
      policyText = policy
      return repository
    })
    return { ...named(after), policyText }
  }

  const putLifecycle: OperationHandler<PutLifecyclePolicyRequest, object> = async (input, context) => {
    const { lifecyclePolicyText: text = '' } = input
    if (!isJsonObject(text)) {
      // Recorded from AWS.
      throw invalid(
        'LifecyclePolicyText',
        'Lifecycle policy validation failure: Could not map policyString into LifecyclePolicy.',
      )
    }
    const lifecyclePolicy = { text, evaluatedAt: clock.now() }
    const after = await change(context, input, (repository) => ({ ...repository, lifecyclePolicy }))
    return { ...named(after), lifecyclePolicyText: text }
  }
  const getLifecycle: OperationHandler<GetLifecyclePolicyRequest, object> = async (input, context) => {
    const { doc } = await require(context, input)
    if (!doc.lifecyclePolicy) throw noSuchLifecyclePolicy(doc, doc.name)
    const { text, evaluatedAt } = doc.lifecyclePolicy
    return { ...named(doc), lifecyclePolicyText: text, lastEvaluatedAt: new Date(evaluatedAt) }
  }
  const deleteLifecycle: OperationHandler<DeleteLifecyclePolicyRequest, object> = async (input, context) => {
    let before = { text: '', evaluatedAt: 0 }
    const after = await change(context, input, ({ lifecyclePolicy, ...repository }) => {
      if (!lifecyclePolicy) throw noSuchLifecyclePolicy(repository, repository.name)
      before = lifecyclePolicy
      return repository
    })
    return {
      ...named(after),
      lifecyclePolicyText: before.text,
      lastEvaluatedAt: new Date(before.evaluatedAt),
    }
  }

  return {
    SetRepositoryPolicy: setPolicy,
    GetRepositoryPolicy: getPolicy,
    DeleteRepositoryPolicy: deletePolicy,
    PutLifecyclePolicy: putLifecycle,
    GetLifecyclePolicy: getLifecycle,
    DeleteLifecyclePolicy: deleteLifecycle,
  }
}
