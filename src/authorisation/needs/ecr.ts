/**
 * Actions and resources of ECR. Requests below /v2/ ask by the names of the operations that AWS's registry makes of them.
 * Pure. Source: the service authorization reference.
 */
import type { Scope } from '#contracts/arn.ts'
import { ecrRepositoryArn } from '#contracts/ecr.ts'
import { ecrModel } from '#wire/models/ecr.ts'

import {
  accountOf,
  list,
  members,
  tagKeys,
  text,
  type Members,
  type Need,
  type NeedsOf,
  type ServiceNeeds,
} from './need.ts'

const ARN = /^arn:[^:]+:ecr:([^:]+):(\d{12}):repository\/(.+)$/

function onRepository(operation: string, resource: string, fallback: string, keys?: Need['keys']): Need {
  const [, region = '', account = '', name = ''] = ARN.exec(resource) ?? []
  return {
    action: `ecr:${operation}`,
    resource,
    account: accountOf(resource) ?? fallback,
    ...(keys && { keys }),
    ...(name !== '' && name !== '*' && { policy: { kind: 'ecr-repository', account, region, name } }),
  }
}

const tagsOf = (input: Members) => {
  const tags = Array.isArray(input['tags']) ? input['tags'].map(members) : []
  return tagKeys(Object.fromEntries(tags.map(({ Key, Value }) => [String(Key), Value] as const)))
}

const needsOf =
  (operation: string): NeedsOf =>
  (input, { account, region }) => {
    const where = { account: text(input['registryId']) ?? account, region }
    const arn = text(input['resourceArn'])
    if (arn !== undefined) return [onRepository(operation, arn, account, tagsOf(input))]
    const name = text(input['repositoryName'])
    const names = name === undefined ? list(input['repositoryNames']) : [name]
    return (names.length === 0 ? ['*'] : names).map((each) =>
      onRepository(operation, ecrRepositoryArn(where, each), account, tagsOf(input)),
    )
  }

/** What Lambda asks of whoever makes a function of an image (developer guide). */
export const imageNeeds = (repository: Scope & { readonly name: string }): readonly Need[] =>
  ['BatchGetImage', 'GetDownloadUrlForLayer'].map((operation) =>
    onRepository(operation, ecrRepositoryArn(repository, repository.name), repository.account),
  )

/** Of layers, which come and go below /v2/ only. */
const LAYER_OPERATIONS = [
  'CompleteLayerUpload',
  'GetDownloadUrlForLayer',
  'InitiateLayerUpload',
  'UploadLayerPart',
]

export const ecrNeeds: ServiceNeeds = {
  ...Object.fromEntries(
    [...Object.keys(ecrModel.operations), ...LAYER_OPERATIONS].map((name) => [name, needsOf(name)]),
  ),
  GetAuthorizationToken: (_input, { account }) => [
    { action: 'ecr:GetAuthorizationToken', resource: '*', account },
  ],
}
