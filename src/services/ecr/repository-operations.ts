/** Repositories: made, described, configured, tagged and deleted. */
import type {
  CreateRepositoryRequest,
  DeleteRepositoryRequest,
  DescribeRepositoriesRequest,
  ListTagsForResourceRequest,
  PutImageScanningConfigurationRequest,
  PutImageTagMutabilityRequest,
  Tag,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-ecr'

import {
  ecrContentPrefix,
  ecrImagePrefix,
  ecrRepositoryKey,
  ecrRepositoryPrefix,
  type EcrRepository,
} from '#contracts/ecr.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers, RequestContext } from '#wire/service.ts'

import { docOf, put, remove } from '../iam/documents.ts'
import { invalid, noSuchRepository, repositoryExists, repositoryNotEmpty, tooManyTags } from './ecr-errors.ts'
import { pageOfRepositories } from './ecr-page.ts'
import { checkName, type EcrRepositories, type Named } from './repositories.ts'

const MAX_TAGS = 50
const READ = 200
const ARN = /^arn:[a-z-]+:ecr:([a-z0-9-]+):(\d{12}):repository\/(.+)$/

export function createRepositoryOperations({
  meta,
  repositories,
  clock,
  random,
}: {
  readonly meta: Meta
  readonly repositories: EcrRepositories
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
}): OperationHandlers {
  const { require, change, view, where } = repositories

  const create: OperationHandler<CreateRepositoryRequest, object> = async (input, context) => {
    const { repositoryName: name = '', imageTagMutability, imageTagMutabilityExclusionFilters = [] } = input
    checkName(name)
    const scope = where(context, input.registryId)
    if (scope.account !== context.account) throw noSuchRepository(scope, name)
    const hasExclusions = imageTagMutability?.endsWith('_WITH_EXCLUSION') ?? false
    if (hasExclusions !== imageTagMutabilityExclusionFilters.length > 0) {
      // Text unverified.
      throw invalid(
        'imageTagMutabilityExclusionFilters',
        'must be given with a mutability with exclusion only',
      )
    }
    const { encryptionType = 'AES256', kmsKey } = input.encryptionConfiguration ?? {}
    const repository: EcrRepository = {
      ...scope,
      id: random.uuid(),
      name,
      createdAt: clock.now(),
      tagMutability: imageTagMutability ?? 'MUTABLE',
      mutabilityExclusions: exclusionsOf(input),
      scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
      encryption: { encryptionType, ...(kmsKey !== undefined && { kmsKey }) },
      tags: merged(name, [], input.tags ?? []),
    }
    if ((await meta.txn([put(ecrRepositoryKey(scope, name), repository, 0)])) === 'conflict') {
      throw repositoryExists(scope, name)
    }
    return { repository: view(repository, context) }
  }

  const describe: OperationHandler<DescribeRepositoriesRequest, object> = async (input, context) => {
    const { repositoryNames, registryId, nextToken, maxResults } = input
    if (repositoryNames) {
      const found = await Promise.all(
        repositoryNames.map((repositoryName) =>
          require(context, { repositoryName, ...(registryId !== undefined && { registryId }) }),
        ),
      )
      return { repositories: found.map(({ doc }) => view(doc, context)) }
    }
    const scope = where(context, registryId)
    const page = await pageOfRepositories(
      meta,
      ecrRepositoryPrefix(scope),
      { nextToken, maxResults },
      (row) =>
        scope.account === context.account || context.isAuthorised ? docOf<EcrRepository>(row) : undefined,
    )
    return { repositories: page.items.map((doc) => view(doc, context)), ...page.nextToken }
  }

  const deleteRepository: OperationHandler<DeleteRepositoryRequest, object> = async (input, context) => {
    const { doc, rev } = await require(context, input)
    if (!input.force && (await meta.list(ecrImagePrefix(doc.id), '', 1)).length > 0) {
      throw repositoryNotEmpty(doc, doc.name)
    }
    if ((await meta.txn([remove(ecrRepositoryKey(doc, doc.name), rev)])) === 'conflict') {
      return deleteRepository(input, context)
    }
    // What a crash leaves of this belongs to no repository any more and is swept.
    for (let rows = await contents(doc); rows.length > 0; rows = await contents(doc)) {
      await meta.txn(rows.map(({ key }) => remove(key)))
    }
    return { repository: view(doc, context) }
  }
  const contents = ({ id }: EcrRepository) => meta.list(ecrContentPrefix(id), '', READ)

  const putMutability: OperationHandler<PutImageTagMutabilityRequest, object> = async (input, context) => {
    const after = await change(context, input, (repository) => ({
      ...repository,
      tagMutability: input.imageTagMutability ?? 'MUTABLE',
      mutabilityExclusions: exclusionsOf(input),
    }))
    const { registryId, repositoryName, imageTagMutability, imageTagMutabilityExclusionFilters } = view(
      after,
      context,
    )
    return {
      registryId,
      repositoryName,
      imageTagMutability,
      ...(imageTagMutabilityExclusionFilters && { imageTagMutabilityExclusionFilters }),
    }
  }
  const putScanning: OperationHandler<PutImageScanningConfigurationRequest, object> = async (
    input,
    context,
  ) => {
    const scanOnPush = input.imageScanningConfiguration?.scanOnPush ?? false
    const after = await change(context, input, (repository) => ({ ...repository, scanOnPush }))
    return {
      registryId: after.account,
      repositoryName: after.name,
      imageScanningConfiguration: { scanOnPush: after.scanOnPush },
    }
  }

  /** Only repositories have tags. */
  const tagged = (arn: string, context: RequestContext): Named => {
    const [, region, registryId, repositoryName = ''] = ARN.exec(arn) ?? []
    if (registryId === undefined) throw invalid('resourceArn', 'Invalid ARN')
    if (region !== context.region)
      throw noSuchRepository({ account: registryId, region: region ?? '' }, repositoryName)
    return { registryId, repositoryName }
  }
  const listTags: OperationHandler<ListTagsForResourceRequest, object> = async (input, context) => {
    const { doc } = await require(context, tagged(input.resourceArn ?? '', context))
    return { tags: doc.tags }
  }
  const tag: OperationHandler<TagResourceRequest, object> = async (input, context) => {
    await change(context, tagged(input.resourceArn ?? '', context), (repository) => ({
      ...repository,
      tags: merged(repository.name, repository.tags, input.tags ?? []),
    }))
    return {}
  }
  const untag: OperationHandler<UntagResourceRequest, object> = async (input, context) => {
    const removed = new Set(input.tagKeys)
    await change(context, tagged(input.resourceArn ?? '', context), (repository) => ({
      ...repository,
      tags: repository.tags.filter(({ Key }) => !removed.has(Key)),
    }))
    return {}
  }

  return {
    CreateRepository: create,
    DescribeRepositories: describe,
    DeleteRepository: deleteRepository,
    PutImageTagMutability: putMutability,
    PutImageScanningConfiguration: putScanning,
    ListTagsForResource: listTags,
    TagResource: tag,
    UntagResource: untag,
  }
}

const exclusionsOf = ({ imageTagMutabilityExclusionFilters = [] }: PutExclusions) =>
  imageTagMutabilityExclusionFilters.map(({ filter = '', filterType = 'WILDCARD' }) => ({
    filter,
    filterType,
  }))
type PutExclusions = Pick<CreateRepositoryRequest, 'imageTagMutabilityExclusionFilters'>

function merged(name: string, before: EcrRepository['tags'], more: readonly Tag[]): EcrRepository['tags'] {
  const tags = new Map(before.map(({ Key, Value }) => [Key, Value]))
  for (const { Key = '', Value = '' } of more) tags.set(Key, Value)
  if (tags.size > MAX_TAGS) throw tooManyTags(name)
  return [...tags].map(([Key, Value]) => ({ Key, Value }))
}
