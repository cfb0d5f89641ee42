/** Signs messages, with a key that is made when SNS starts for the first time and lies sealed in the store. */
import { hash, sign, X509Certificate } from 'node:crypto'

import { SNS_SIGNER_KEY, type SnsSigner } from '#contracts/sns.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Sealer } from '#kernel/sealed.ts'
import { HOUR_MS } from '#kernel/units.ts'
import { exportKey, importKey, type Identity } from '#signatures/certificates.ts'
import { createMessageSigner } from '#signatures/message-certificate.ts'
import type { Meta } from '#store/port.ts'

import { put, read } from '../iam/documents.ts'
import type { Seal } from './envelope.ts'

const DAY_MS = 24 * HOUR_MS
/** Unlike AWS's certificate this one does not change: whoever has it can check every message. */
const VALID_MS = 100 * 365 * DAY_MS
/** Signatures that are remembered: all subscriptions of a topic get the same one. */
const MAX_REMEMBERED = 1000

export interface MessageSigner {
  /** Before it resolves nothing can be signed. */
  start(): Promise<void>
  /** Version 1 is SHA-1, version 2 SHA-256. `baseUrl` is where the receiver finds the certificate. */
  seal(text: string, version: Seal['version'], baseUrl: string): Promise<Seal>
  /** Path of the certificate, in AWS's form. */
  readonly certificatePath: string
  /** PEM. */
  readonly certificate: string
}

export function createSigner(deps: {
  readonly meta: Meta
  readonly sealer: Sealer
  readonly clock: Clock
}): MessageSigner {
  const { meta, sealer, clock } = deps
  let identity: (Identity & { readonly path: string }) | undefined
  const remembered = new Map<string, Promise<string>>()

  const open = async (): Promise<Identity> => {
    for (;;) {
      const stored = (await read<SnsSigner>(meta, SNS_SIGNER_KEY))?.doc
      if (stored) {
        return {
          certificate: Buffer.from(stored.certificate, 'base64'),
          privateKey: importKey(sealer.open(stored.sealedKey, SNS_SIGNER_KEY)),
        }
      }
      const made = await createMessageSigner('sns.amazonaws.com', {
        fromMs: clock.now() - DAY_MS,
        untilMs: clock.now() + VALID_MS,
      })
      const doc: SnsSigner = {
        certificate: made.certificate.toString('base64'),
        sealedKey: sealer.seal(exportKey(made.privateKey), SNS_SIGNER_KEY),
      }
      // Whoever was faster has made the one that counts.
      if ((await meta.txn([put(SNS_SIGNER_KEY, doc, 0)])) !== 'conflict') return made
    }
  }
  const opened = () => {
    if (!identity) throw new Error('The signer of messages has not started')
    return identity
  }
  const signed = (text: Buffer, version: Seal['version']) =>
    new Promise<string>((resolve, reject) => {
      sign(version === '1' ? 'sha1' : 'sha256', text, opened().privateKey, (error, signature) => {
        if (error) reject(error)
        else resolve(signature.toString('base64'))
      })
    })
  const signatureOf = (text: Buffer, version: Seal['version']) => {
    const key = `${version} ${hash('sha256', text)}`
    let signature = remembered.get(key)
    if (!signature) {
      signature = signed(text, version)
      remembered.set(key, signature)
      const oldest = remembered.size > MAX_REMEMBERED ? remembered.keys().next().value : undefined
      if (oldest !== undefined) remembered.delete(oldest)
    }
    return signature
  }
  return {
    async start() {
      if (identity) return
      const made = await open()
      const name = hash('sha256', made.certificate).slice(0, 32)
      identity = { ...made, path: `/SimpleNotificationService-${name}.pem` }
    },
    async seal(text, version, baseUrl) {
      const { path } = opened()
      const signature = await signatureOf(Buffer.from(text), version)
      return { version, signature, certificateUrl: `${baseUrl}${path}` }
    },
    get certificatePath() {
      return opened().path
    },
    get certificate() {
      return new X509Certificate(opened().certificate).toString()
    },
  }
}
