/** Which code signing configuration a function uses, and what that means for its deployments. */
import { codeSigningConfigArn, type FunctionId } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { CodeSigningConfig } from '#contracts/code-signing.ts'
import type { FunctionHead } from '#contracts/function.ts'
import { codeSigningUseKey, functionKey } from '#contracts/keys.ts'
import type { MetaWrite } from '#store/port.ts'

import type { Dependencies } from '../dependencies.ts'
import { headWrite, type Documents, type Stored } from '../documents.ts'
import { findConfig, usedConfigNotFound } from './config-reference.ts'
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

/**
 * Refuses unsigned code under a configuration that enforces signatures. No package is signed here: signatures are not
 * looked for, so that all code counts as unsigned. Text as clients have reported it from AWS.
 */
export function assertUnsignedAllowed(config: CodeSigningConfig, name: string): void {
  if (config.untrustedArtifactOnDeployment !== 'Enforce') return
  throw new LambdaError(
    'CodeVerificationFailedException',
    `Lambda cannot deploy the function. The function or layer might be signed using a signature that the client is not configured to accept. Check the provided signature for ${name}.`,
    { status: 400 },
  )
}

/** The same for a function that exists: asked before each deployment of code or layers. */
export async function assertDeployable(documents: Documents, head: FunctionHead): Promise<void> {
  if (head.codeSigningConfigId === undefined) return
  const config = await documents.codeSigningConfig(head, head.codeSigningConfigId)
  if (config) assertUnsignedAllowed(config.doc, head.name)
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
    const { codeSigningConfigId: previous, ...head } = before.doc
    if (previous === undefined) return { writes: [], result: undefined }
    return {
      writes: [headWrite(before, head), { key: codeSigningUseKey(id, previous), doc: null }],
      result: undefined,
    }
  })
}

/** Undefined when the function uses none. */
export const signingArnOf = (head: FunctionHead) =>
  head.codeSigningConfigId === undefined ? undefined : codeSigningConfigArn(head, head.codeSigningConfigId)
