/** Publishes `$LATEST`, unless exactly that was published last. */
import type { FunctionId } from '#contracts/arn.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { accountKey, versionKey } from '#contracts/keys.ts'

import { countersWrite } from '../account/counters.ts'
import { newStamp, type Dependencies } from '../dependencies.ts'
import { asJson, headWrite } from '../documents.ts'
import { assertChangeable, assertRevision } from '../functions/state.ts'
import { assertCodeSha256, publish, unchangedSince } from './publish.ts'

export interface PublishRequest {
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
    const known = unchangedSince(before.doc)
    const existing = known === undefined ? undefined : await documents.version(id, known)
    if (existing) return { writes: [], result: existing.doc }

    const published = publish(before.doc, {
      stamp,
      headRevisionId,
      description: request.Description,
      // What failed to be prepared as $LATEST has to prove itself as a version.
      ready: latest.lastUpdateStatus !== 'Failed',
    })
    const counters = await documents.counters(id)
    return {
      writes: [
        headWrite(before, published.head),
        { key: versionKey(id, published.version.version), doc: asJson(published.version) },
        countersWrite(id, counters, { codeSizeBytes: latest.code.sizeBytes }),
      ],
      result: published.version,
    }
  })
  activation.drive(version)
  return version
}
