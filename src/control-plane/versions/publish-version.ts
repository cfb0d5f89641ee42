/** Publishes `$LATEST`, unless exactly that was published last. */
import type { FunctionId } from '#contracts/arn.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { accountKey } from '#contracts/keys.ts'

import { countersWrite } from '../account/counters.ts'
import { newStamp, type Dependencies } from '../dependencies.ts'
import { headWrite } from '../documents.ts'
import { assertChangeable, assertRevision } from '../functions/state.ts'
import { planPublication } from './publication.ts'
import { assertCodeSha256, type PublishTarget } from './publish.ts'

export interface PublishRequest extends PublishTarget {
  readonly CodeSha256?: string | undefined
  readonly Description?: string | undefined
  readonly RevisionId?: string | undefined
}

export async function publishVersion(
  dependencies: Pick<Dependencies, 'documents' | 'committer' | 'activation' | 'clock' | 'random'>,
  id: FunctionId,
  request: PublishRequest,
): Promise<FunctionVersion> {
  const { documents, committer, activation, random } = dependencies
  const stamp = newStamp(dependencies)
  const headRevisionId = random.uuid()
  const version = await committer.run(accountKey(id), async () => {
    const before = await documents.requireHead(id)
    const { latest } = before.doc
    assertRevision(latest.revisionId, request.RevisionId)
    assertCodeSha256(latest, request.CodeSha256)
    assertChangeable(id, latest)
    const plan = await planPublication(documents, before.doc, {
      request,
      stamp,
      headRevisionId,
      // What failed to be prepared as $LATEST has to prove itself as a version.
      ready: latest.lastUpdateStatus !== 'Failed',
    })
    if ('existing' in plan) return { writes: [], result: plan.existing }
    const counters = await documents.counters(id)
    return {
      writes: [
        headWrite(before, plan.head),
        ...plan.writes,
        countersWrite(id, counters, { codeSizeBytes: plan.codeGrowthBytes }),
      ],
      result: plan.version,
    }
  })
  activation.drive(version)
  return version
}
