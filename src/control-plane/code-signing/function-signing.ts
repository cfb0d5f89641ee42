/** Which code signing configuration a function uses, and what that means for its deployments. */
import { codeSigningConfigArn, type FunctionId } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import {
  signatureStatus,
  type CodeSignature,
  type CodeSigningConfig,
  type SignatureStatus,
} from '#contracts/code-signing.ts'
import type { AttachedLayer, FunctionHead } from '#contracts/function.ts'
import { codeSigningUseKey, functionKey } from '#contracts/keys.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Meta, MetaWrite } from '#store/port.ts'

import type { Dependencies } from '../dependencies.ts'
import { headWrite, type Documents, type Stored } from '../documents.ts'
import { assertSignable } from '../functions/image.ts'
import { findConfig, usedConfigNotFound } from './config-reference.ts'
import { isRevoked } from './signature-records.ts'
import { configWrite } from './signing-configs.ts'

/** Throws the 404 that AWS has for functions. */
export async function requireUsableConfig(
  documents: Documents,
  id: FunctionId,
  arn: string,
): Promise<Stored<CodeSigningConfig>> {
  const config = await findConfig(documents, id, arn)
  if (!config) throw usedConfigNotFound(arn)
  return config
}

/** The function uses the configuration. The configuration is written unchanged: who deletes it at this moment finds out. */
export const useWrites = (id: FunctionId, config: Stored<CodeSigningConfig>): readonly MetaWrite[] => [
  { key: codeSigningUseKey(id, config.doc.configId), doc: {} },
  configWrite(config, config.doc),
]

/** Something that is deployed, and how AWS's texts name it. */
export interface Deployed {
  readonly signature: CodeSignature | undefined
  readonly name: string
}

/** Recorded from AWS: the first two. That the others speak of what they found is a guess at AWS's words. */
const REFUSALS: Readonly<Record<Exclude<SignatureStatus, 'VALID'>, string>> = {
  MISMATCH:
    'The function or layer might be signed using a signature that the client is not configured to accept.',
  INVALID:
    'The function or layer code is not properly signed. This can mean that the code was signed incorrectly or modified after it was signed.',
  EXPIRED: 'The signature of the function or layer has expired.',
  REVOKED: 'The signature of the function or layer has been revoked.',
}

/**
 * Throws CodeVerificationFailedException for what the configuration does not let through. `Warn` lets everything through
 * but code that was changed after it was signed (recorded from AWS).
 */
export async function assertSigned(
  { meta, clock }: { readonly meta: Meta; readonly clock: Clock },
  config: CodeSigningConfig,
  deployed: readonly Deployed[],
): Promise<void> {
  for (const { signature, name } of deployed) {
    const status = signatureStatus(signature, config, {
      nowMs: clock.now(),
      isRevoked: signature ? await isRevoked(meta, signature) : false,
    })
    const isAllowed =
      status === 'VALID' || (status !== 'INVALID' && config.untrustedArtifactOnDeployment === 'Warn')
    if (isAllowed) continue
    throw new LambdaError(
      'CodeVerificationFailedException',
      `Lambda cannot deploy the function. ${REFUSALS[status]} Check the provided signature for ${name}.`,
      { status: 400 },
    )
  }
}

export const deployedLayers = (layers: readonly AttachedLayer[]): readonly Deployed[] =>
  layers.map(({ arn, signature }) => ({ signature, name: arn }))

/** The same for a function that exists: asked before each deployment of code or layers. */
export async function assertDeployable(
  { documents, clock }: Pick<Dependencies, 'documents' | 'clock'>,
  head: FunctionHead,
  deployed: readonly Deployed[],
): Promise<void> {
  if (head.codeSigningConfigId === undefined) return
  const config = await documents.codeSigningConfig(head, head.codeSigningConfigId)
  if (config) await assertSigned({ meta: documents.meta, clock }, config.doc, deployed)
}

/** Code that is deployed already is not looked at again (API reference). */
export function putFunctionSigning(
  { documents, committer }: Pick<Dependencies, 'documents' | 'committer'>,
  id: FunctionId,
  arn: string,
): Promise<void> {
  return committer.run(functionKey(id), async () => {
    // In this order (recorded from AWS).
    const config = await requireUsableConfig(documents, id, arn)
    const before = await documents.requireHead(id)
    assertSignable(before.doc.latest.packageType)
    const { codeSigningConfigId: previous } = before.doc
    if (previous === config.doc.configId) return { writes: [], result: undefined }
    return {
      writes: [
        headWrite(before, { ...before.doc, codeSigningConfigId: config.doc.configId }),
        ...(previous === undefined ? [] : [{ key: codeSigningUseKey(id, previous), doc: null }]),
        ...useWrites(id, config),
      ],
      result: undefined,
    }
  })
}

/** A function that uses none is no error (recorded from AWS). */
export function deleteFunctionSigning(
  { documents, committer }: Pick<Dependencies, 'documents' | 'committer'>,
  id: FunctionId,
): Promise<void> {
  return committer.run(functionKey(id), async () => {
    const before = await documents.requireHead(id)
    assertSignable(before.doc.latest.packageType)
    const { codeSigningConfigId: previous, ...head } = before.doc
    if (previous === undefined) return { writes: [], result: undefined }
    return {
      writes: [headWrite(before, head), { key: codeSigningUseKey(id, previous), doc: null }],
      result: undefined,
    }
  })
}

/** Undefined when the function uses none. */
export function signingArnOf(head: FunctionHead): string | undefined {
  assertSignable(head.latest.packageType)
  return head.codeSigningConfigId === undefined
    ? undefined
    : codeSigningConfigArn(head, head.codeSigningConfigId)
}
