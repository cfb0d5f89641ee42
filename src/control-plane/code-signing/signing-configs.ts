/** Creates, changes and deletes code signing configurations. */
import { codeSigningConfigArn, type Scope } from '#contracts/arn.ts'
import type { CodeSigningConfig } from '#contracts/code-signing.ts'
import { resourceConflict } from '#contracts/errors.ts'
import { codeSigningConfigKey, codeSigningUsePrefix } from '#contracts/keys.ts'

import type { Dependencies } from '../dependencies.ts'
import { asJson, type Stored } from '../documents.ts'
import { assertTags, type Tags } from '../tags/tags.ts'
import { requireConfig } from './config-reference.ts'

type Needs = Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'random'>

export interface SigningConfigRequest {
  readonly Description?: string | undefined
  readonly AllowedPublishers?:
    | { readonly SigningProfileVersionArns?: readonly string[] | undefined }
    | undefined
  readonly CodeSigningPolicies?: { readonly UntrustedArtifactOnDeployment?: string | undefined } | undefined
  readonly Tags?: Tags | undefined
}

const policyOf = (request: SigningConfigRequest) =>
  request.CodeSigningPolicies?.UntrustedArtifactOnDeployment === 'Enforce' ? 'Enforce' : 'Warn'

/** The configuration's document, written back or changed. */
export const configWrite = (before: Stored<CodeSigningConfig>, doc: CodeSigningConfig | null) => ({
  key: codeSigningConfigKey(before.doc, before.doc.configId),
  ifRev: before.rev,
  doc: doc && asJson(doc),
})

export function createSigningConfig(
  { committer, clock, random }: Needs,
  scope: Scope,
  request: SigningConfigRequest,
): Promise<CodeSigningConfig> {
  assertTags({}, request.Tags ?? {})
  const config: CodeSigningConfig = {
    account: scope.account,
    region: scope.region,
    configId: `csc-${random.hex(17)}`,
    ...(request.Description !== undefined && { description: request.Description }),
    signingProfileVersionArns: request.AllowedPublishers?.SigningProfileVersionArns ?? [],
    untrustedArtifactOnDeployment: policyOf(request),
    tags: request.Tags ?? {},
    modifiedAt: clock.now(),
  }
  const key = codeSigningConfigKey(config, config.configId)
  return committer.run(key, async () => ({
    writes: [{ key, ifRev: 0, doc: asJson(config) }],
    result: config,
  }))
}

/** What the request leaves out stays. */
export function updateSigningConfig(
  { documents, committer, clock }: Omit<Needs, 'random'>,
  scope: Scope,
  arn: string,
  request: SigningConfigRequest,
): Promise<CodeSigningConfig> {
  return committer.run(arn, async () => {
    const before = await requireConfig(documents, scope, arn)
    const { AllowedPublishers, CodeSigningPolicies } = request
    const config: CodeSigningConfig = {
      ...before.doc,
      // A change leaves an empty description where there was none (recorded from AWS).
      description: request.Description ?? before.doc.description ?? '',
      signingProfileVersionArns:
        AllowedPublishers?.SigningProfileVersionArns ?? before.doc.signingProfileVersionArns,
      untrustedArtifactOnDeployment: CodeSigningPolicies
        ? policyOf(request)
        : before.doc.untrustedArtifactOnDeployment,
      modifiedAt: clock.now(),
    }
    return { writes: [configWrite(before, config)], result: config }
  })
}

/** Refused while a function uses it, as documented. */
export function deleteSigningConfig(
  { documents, committer }: Pick<Needs, 'documents' | 'committer'>,
  scope: Scope,
  arn: string,
): Promise<void> {
  return committer.run(arn, async () => {
    const before = await requireConfig(documents, scope, arn)
    const [user] = await documents.meta.list(codeSigningUsePrefix(before.doc, before.doc.configId), '', 1)
    // Recorded from AWS, also for a configuration that a function simply uses.
    if (user) {
      throw resourceConflict(
        'Lambda cannot delete the code signing configuration at this time — another operation is in progress. Try again later.',
      )
    }
    return { writes: [configWrite(before, null)], result: undefined }
  })
}

/** Replaces the tags with what `change` makes of them. */
export function changeConfigTags(
  { documents, committer }: Pick<Needs, 'documents' | 'committer'>,
  scope: Scope,
  arn: string,
  change: (tags: Tags) => Tags,
): Promise<void> {
  return committer.run(arn, async () => {
    const before = await requireConfig(documents, scope, arn)
    const config = { ...before.doc, tags: change(before.doc.tags) }
    return { writes: [configWrite(before, config)], result: undefined }
  })
}

export const arnOfConfig = (config: CodeSigningConfig) => codeSigningConfigArn(config, config.configId)
