/** Finds and changes repositories, and says how the API names them. */
import type { Repository as View } from '@aws-sdk/client-ecr'

import type { Scope } from '#contracts/arn.ts'
import { ecrRepositoryArn, ecrRepositoryKey, type EcrRepository } from '#contracts/ecr.ts'
import type { Meta } from '#store/port.ts'
import type { RequestContext } from '#wire/service.ts'

import { commit, put, read, type Stored } from '../iam/documents.ts'
import { invalid, noSuchRepository } from './ecr-errors.ts'

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
/** AWS's text names its pattern; as clients have reported it. */
const NAME_TEXT =
  "must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'"

export interface Named {
  readonly repositoryName?: string
  readonly registryId?: string
}

export interface EcrRepositories {
  /** The registry that a request means. */
  where(context: RequestContext, registryId: string | undefined): Scope
  require(context: RequestContext, named: Named): Promise<Stored<EcrRepository>>
  change(
    context: RequestContext,
    named: Named,
    update: (repository: EcrRepository) => EcrRepository,
  ): Promise<EcrRepository>
  view(repository: EcrRepository, context: RequestContext): View
}

export function checkName(name: string): void {
  if (!NAME.test(name)) throw invalid('repositoryName', NAME_TEXT)
}

export function createEcrRepositories({
  meta,
  home,
}: {
  readonly meta: Meta
  readonly home: Scope
}): EcrRepositories {
  const where = ({ account, region }: RequestContext, registryId: string | undefined): Scope => ({
    account: registryId ?? account,
    region,
  })
  const require = async (context: RequestContext, { repositoryName = '', registryId }: Named) => {
    const scope = where(context, registryId)
    // Whose registry it is does not show: others see nothing in it unless a policy has been asked.
    const mayLook = scope.account === context.account || context.isAuthorised === true
    const repository = mayLook
      ? await read<EcrRepository>(meta, ecrRepositoryKey(scope, repositoryName))
      : undefined
    if (!repository) throw noSuchRepository(scope, repositoryName)
    return repository
  }
  return {
    where,
    require,
    change: (context, named, update) =>
      commit(meta, async () => {
        const before = await require(context, named)
        const after = update(before.doc)
        return { writes: [put(ecrRepositoryKey(after, after.name), after, before.rev)], result: after }
      }),
    view: (repository, context) => ({
      repositoryArn: ecrRepositoryArn(repository, repository.name),
      registryId: repository.account,
      repositoryName: repository.name,
      repositoryUri: uriOf(repository, home, context.endpoint),
      createdAt: new Date(repository.createdAt),
      imageTagMutability: repository.tagMutability as View['imageTagMutability'],
      ...(repository.mutabilityExclusions.length > 0 && {
        imageTagMutabilityExclusionFilters:
          repository.mutabilityExclusions as View['imageTagMutabilityExclusionFilters'],
      }),
      imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
      encryptionConfiguration: repository.encryption as View['encryptionConfiguration'],
    }),
  }
}

/**
 * What docker and its like call the repository: the address at which the caller reached this API, and before the name
 * whose it is, when it is not that of the default account and region.
 */
function uriOf({ account, region, name }: EcrRepository, home: Scope, endpoint: string): string {
  const { host } = new URL(endpoint)
  return account === home.account && region === home.region
    ? `${host}/${name}`
    : `${host}/${account}.${region}/${name}`
}
