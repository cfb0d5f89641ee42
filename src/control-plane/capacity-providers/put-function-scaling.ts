/** Stores how many environments a version on a capacity provider may have. */
import type { FunctionId } from '#contracts/arn.ts'
import type { FunctionScaling } from '#contracts/capacity-provider.ts'
import { invalidParameter } from '#contracts/errors.ts'
import type { FunctionState, FunctionVersion } from '#contracts/function.ts'
import { functionKey, functionScalingKey, versionKey } from '#contracts/keys.ts'

import type { Dependencies } from '../dependencies.ts'
import { asJson, headWrite } from '../documents.ts'
import { functionNotFound } from '../functions/names.ts'
import { CREATING, stepped } from '../functions/state.ts'
import { requestedLimits, stateAfterRequest, type FunctionScalingRequest } from './scaling-request.ts'

/** Refuses what has no scaling of its own (text unverified). */
const assertManaged = (version: FunctionVersion) => {
  if (version.managedInstances) return
  throw invalidParameter("FunctionScalingConfig isn't supported for Lambda Default functions.")
}

/** The published version that `qualifier` names, on a capacity provider. */
export async function requireScalable(
  documents: Dependencies['documents'],
  id: FunctionId,
  qualifier: string,
): Promise<FunctionVersion> {
  await documents.requireHead(id, qualifier)
  const version = await documents.version(id, qualifier)
  if (!version) throw functionNotFound(id, qualifier)
  assertManaged(version.doc)
  return version.doc
}

/** The state of the version as soon as the request is stored. */
export async function putFunctionScaling(
  {
    documents,
    committer,
    activation,
    scaling,
    random,
  }: Pick<Dependencies, 'documents' | 'committer' | 'activation' | 'scaling' | 'random'>,
  id: FunctionId,
  qualifier: string,
  request: FunctionScalingRequest | undefined,
): Promise<FunctionState> {
  const requested = requestedLimits(request)
  const revisionId = random.uuid()
  const version = await committer.run(functionKey(id), async () => {
    const head = await documents.requireHead(id, qualifier)
    const current = await documents.version(id, qualifier)
    if (!current) throw functionNotFound(id, qualifier)
    assertManaged(current.doc)
    const state = stateAfterRequest(current.doc.state, requested)
    const changed =
      state === current.doc.state
        ? current.doc
        : { ...stepped(current.doc, state, revisionId), ...(state === 'Pending' && CREATING) }
    const before = await documents.scaling(id, qualifier)
    const { account, region, name } = id
    const doc: FunctionScaling = {
      account,
      region,
      name,
      version: qualifier,
      requested,
      ...(before?.doc.applied && { applied: before.doc.applied }),
    }
    return {
      writes: [
        headWrite(head, head.doc),
        { key: versionKey(id, qualifier), ifRev: current.rev, doc: asJson(changed) },
        { key: functionScalingKey(id, qualifier), ifRev: before?.rev ?? 0, doc: asJson(doc) },
      ],
      result: changed,
    }
  })
  if (version.state === 'Pending') activation.drive(version)
  else scaling.drive(version)
  return version.state
}
