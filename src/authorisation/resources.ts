/** What the store says of the resource: its policy and its tags. */
import { layerArn } from '#contracts/arn.ts'
import { ecrRepositoryKey, type EcrRepository } from '#contracts/ecr.ts'
import { busKey, type EventBus } from '#contracts/events.ts'
import type { FunctionHead } from '#contracts/function.ts'
import { iamRoleKey, roleArn, type IamRole } from '#contracts/iam.ts'
import { functionKey, layerVersionKey, mappingKey, policyKey } from '#contracts/keys.ts'
import { mappingFunctionArn, type EventSourceMapping } from '#contracts/mapping.ts'
import { kmsAliasKey, kmsKeyKey, type KmsAlias, type KmsKey } from '#contracts/kms.ts'
import type { ResourcePolicy } from '#contracts/policy.ts'
import { compilePolicy, compilePolicyText } from '#contracts/policy-evaluation/compile-policy.ts'
import type { Policy } from '#contracts/policy-evaluation/policy.ts'
import { sqsQueueKey, type SqsQueue } from '#contracts/sqs.ts'
import { snsTopicKey, type SnsTopic } from '#contracts/sns.ts'
import type { Json } from '#kernel/json.ts'

import type { DocumentViews } from './document-views.ts'
import type { Need, PolicyPlace } from './needs/need.ts'
import type { ResourceFacts } from './request-keys.ts'

/** The parts of a layer version's document that are read here. */
interface LayerVersion {
  readonly account: string
  readonly region: string
  readonly name: string
  readonly version: number
  readonly policy?: {
    readonly statements: readonly {
      readonly action: string
      readonly principal: string
      readonly organizationId?: string
    }[]
  }
}

const ofFunction = (json: Json): Policy => compilePolicy((json as unknown as ResourcePolicy).document)

function ofLayer(json: Json): Policy | undefined {
  const version = json as unknown as LayerVersion
  return (
    version.policy &&
    compilePolicy({
      Version: '2012-10-17',
      Statement: version.policy.statements.map(({ action, principal, organizationId }) => ({
        Effect: 'Allow',
        Principal: { AWS: principal },
        Action: action,
        Resource: layerArn(version, version.name, version.version),
        ...(organizationId !== undefined && {
          Condition: { StringEquals: { 'aws:PrincipalOrgID': organizationId } },
        }),
      })),
    })
  )
}

/** A role's document is also read as an identity. */
const trustOf = (json: Json): Policy => compilePolicyText((json as unknown as IamRole).trustPolicy)

const ofFunctionItself = (json: Json): ResourceFacts => ({
  tags: (json as unknown as FunctionHead).tags,
  keys: {},
})

const ofMapping = (json: Json): ResourceFacts => {
  const mapping = json as unknown as EventSourceMapping
  return { tags: mapping.tags, keys: { 'lambda:functionarn': [mappingFunctionArn(mapping)] } }
}

const ofQueue = (json: Json): Policy | undefined => {
  const policy = (json as unknown as SqsQueue).attributes['Policy']
  return policy === undefined ? undefined : compilePolicyText(policy)
}
const ofQueueItself = (json: Json): ResourceFacts => ({
  tags: (json as unknown as SqsQueue).tags,
  keys: {},
})

const arnOfRole = (json: Json) => roleArn(json as unknown as IamRole)

const ofKey = (json: Json): Policy => compilePolicyText((json as unknown as KmsKey).policy)
/** A topic without a policy of its own allows its account, as its account's own policies say. */
const ofTopic = (json: Json): Policy | undefined => {
  const policy = (json as unknown as SnsTopic).attributes['Policy']
  return policy === undefined ? undefined : compilePolicyText(policy)
}
/** Others are let in by a bus's policy; its own account needs none. */
const ofBus = (json: Json): Policy | undefined => {
  const { policy } = json as unknown as EventBus
  return policy === undefined ? undefined : compilePolicyText(policy)
}
const ofRepository = (json: Json): Policy | undefined => {
  const { policy } = json as unknown as EcrRepository
  return policy === undefined ? undefined : compilePolicyText(policy)
}
const aliasTarget = (json: Json): string => (json as unknown as KmsAlias).keyId

export interface Resources {
  policy(place: PolicyPlace): Promise<Policy | undefined>
  /** Undefined when there is no such resource, or nothing to be said of it. */
  facts(need: Need): Promise<ResourceFacts | undefined>
}

export function createResources({ views }: { readonly views: DocumentViews }): Resources {
  const trust = async ({ account, roleName, roleArn: arn }: Extract<PolicyPlace, { kind: 'trust' }>) => {
    const key = iamRoleKey(account, roleName)
    if (arn !== undefined && (await views.read(key, arnOfRole)) !== arn) return undefined
    return await views.read(key, trustOf)
  }

  return {
    async policy(place) {
      switch (place.kind) {
        case 'function':
          return await views.read(policyKey(place.id, place.qualifier ?? '$LATEST'), ofFunction)
        case 'layer':
          return await views.read(layerVersionKey(place, place.name, place.version), ofLayer)
        case 'trust':
          return await trust(place)
        case 'sqs-queue':
          return await views.read(sqsQueueKey(place, place.name), ofQueue)
        case 'ecr-repository':
          return await views.read(ecrRepositoryKey(place, place.name), ofRepository)
        case 'event-bus':
          return await views.read(busKey(place, place.name), ofBus)
        case 'sns-topic':
          return await views.read(snsTopicKey(place, place.name), ofTopic)
        case 'kms-key': {
          const id = place.name.startsWith('alias/')
            ? await views.read(kmsAliasKey(place, place.name), aliasTarget)
            : place.name
          return id === undefined ? undefined : await views.read(kmsKeyKey(place, id), ofKey)
        }
      }
    },
    async facts({ tagged, mapping, policy }) {
      if (policy?.kind === 'sqs-queue') {
        return await views.read(sqsQueueKey(policy, policy.name), ofQueueItself)
      }
      if (mapping) return await views.read(mappingKey(mapping, mapping.uuid), ofMapping)
      return tagged && (await views.read(functionKey(tagged), ofFunctionItself))
    },
  }
}
