/** How the versions of a function follow the updates of their runtime. */
import { functionArn, LATEST, type FunctionId } from '#contracts/arn.ts'
import { invalidParameter } from '#contracts/errors.ts'
import type { FunctionVersion, RuntimeManagement } from '#contracts/function.ts'
import { functionKey, runtimeManagementKey } from '#contracts/keys.ts'
import { findRuntime, runtimeVersionArn } from '#contracts/runtime.ts'

import type { Dependencies } from '../dependencies.ts'
import { asJson, headWrite, type Documents } from '../documents.ts'
import { isVersionNumber } from './names.ts'

export interface RuntimeManagementRequest {
  readonly UpdateRuntimeOn?: string | undefined
  readonly RuntimeVersionArn?: string | undefined
}

/** Throws AWS's 400 for an alias (as clients have reported it). */
function assertVersion(id: FunctionId, qualifier: string): void {
  if (qualifier === LATEST || isVersionNumber(qualifier)) return
  throw invalidParameter(
    `The provided function name ${functionArn(id, qualifier)} is invalid. Aliases are not allowed.`,
  )
}

/** `Auto` unless it was ever set. Throws AWS's 404 for an unknown function or version. */
export async function readRuntimeManagement(
  documents: Documents,
  id: FunctionId,
  qualifier = LATEST,
): Promise<RuntimeManagement> {
  assertVersion(id, qualifier)
  await documents.resolve(id, qualifier === LATEST ? undefined : qualifier)
  const stored = await documents.runtimeManagement(id, qualifier)
  return stored?.doc ?? { ...id, version: qualifier, updateRuntimeOn: 'Auto' }
}

/** There is one build of each runtime here, so that only that one can be pinned. Both texts are unverified. */
function pinned(version: FunctionVersion, request: RuntimeManagementRequest): string {
  const { RuntimeVersionArn: arn } = request
  if (arn === undefined) {
    throw invalidParameter('RuntimeVersionArn is required when UpdateRuntimeOn is Manual.')
  }
  const runtime = version.runtime === undefined ? undefined : findRuntime(version.runtime)
  if (!runtime || arn !== runtimeVersionArn(version.region, runtime)) {
    throw invalidParameter(
      `The runtime version ${arn} is not available for functions with the runtime ${version.runtime ?? 'none'}.`,
    )
  }
  return arn
}

export function putRuntimeManagement(
  { documents, committer }: Pick<Dependencies, 'documents' | 'committer'>,
  id: FunctionId,
  qualifier: string,
  request: RuntimeManagementRequest,
): Promise<RuntimeManagement> {
  assertVersion(id, qualifier)
  return committer.run(functionKey(id), async () => {
    const head = await documents.requireHead(id)
    const { version } = await documents.resolve(id, qualifier === LATEST ? undefined : qualifier)
    const mode = request.UpdateRuntimeOn
    const management: RuntimeManagement = {
      ...id,
      version: qualifier,
      ...(mode === 'Manual'
        ? { updateRuntimeOn: mode, runtimeVersionArn: pinned(version, request) }
        : { updateRuntimeOn: mode === 'FunctionUpdate' ? mode : 'Auto' }),
    }
    return {
      writes: [
        { key: runtimeManagementKey(id, qualifier), doc: asJson(management) },
        // Unchanged, but written: who deletes the function or the version at this moment finds out.
        headWrite(head, head.doc),
      ],
      result: management,
    }
  })
}

/** A pinned runtime version belongs to one runtime (text as clients have reported it from AWS). */
export async function assertRuntimeChangeable(
  documents: Documents,
  latest: FunctionVersion,
  runtime: string | undefined,
): Promise<void> {
  if (runtime === undefined || runtime === latest.runtime) return
  const management = await documents.runtimeManagement(latest, LATEST)
  if (management?.doc.updateRuntimeOn !== 'Manual') return
  throw invalidParameter(
    "Cannot change runtime identifier when runtime management configuration is set to 'Manual'. Change the runtime management configuration to 'Auto' or 'FunctionUpdate', then retry.",
  )
}
