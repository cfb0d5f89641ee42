/** The authority that every signature leads to: made when the first one is wanted, its key sealed in the store. */
import { SIGNER_AUTHORITY_KEY, type SignerAuthority } from '#contracts/signer.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Sealer } from '#kernel/sealed.ts'
import { HOUR_MS } from '#kernel/units.ts'
import { createAuthority, exportKey, importKey, type Identity } from '#signatures/certificates.ts'
import type { Meta } from '#store/port.ts'

import { put, read } from '../iam/documents.ts'

const DAY_MS = 24 * HOUR_MS
/** As long as AWS's own authority lives. */
const VALID_MS = 100 * 365 * DAY_MS
const NAME = 'Lambent Signer Root CA'

export async function openAuthority({
  meta,
  sealer,
  clock,
}: {
  readonly meta: Meta
  readonly sealer: Sealer
  readonly clock: Clock
}): Promise<Identity> {
  for (;;) {
    const stored = (await read<SignerAuthority>(meta, SIGNER_AUTHORITY_KEY))?.doc
    if (stored) {
      return {
        certificate: Buffer.from(stored.certificate, 'base64'),
        privateKey: importKey(sealer.open(stored.sealedKey, SIGNER_AUTHORITY_KEY)),
      }
    }
    const made = createAuthority(NAME, { fromMs: clock.now() - DAY_MS, untilMs: clock.now() + VALID_MS })
    const doc: SignerAuthority = {
      certificate: made.certificate.toString('base64'),
      sealedKey: sealer.seal(exportKey(made.privateKey), SIGNER_AUTHORITY_KEY),
    }
    // Whoever was faster has made the one that counts.
    if ((await meta.txn([put(SIGNER_AUTHORITY_KEY, doc, 0)])) !== 'conflict') return made
  }
}
