/** Certificates for signing messages: RSA, as those who verify notifications of SNS expect it, and signed by themselves. */
import { generateKeyPair, randomBytes, sign, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'

import type { Identity } from './certificates.ts'
import { bits, certificateTime, explicit, integer, octets, oid, sequence, setOf, truth, utf8 } from './der.ts'

const SHA256_WITH_RSA = '1.2.840.113549.1.1.11'
const COMMON_NAME = '2.5.4.3'
const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
const SERIAL_BYTES = 16
const KEY_BITS = 2048

export async function createMessageSigner(
  commonName: string,
  validity: { readonly fromMs: number; readonly untilMs: number },
): Promise<Identity> {
  const keys = await promisify(generateKeyPair)('rsa', { modulusLength: KEY_BITS })
  return {
    privateKey: keys.privateKey,
    certificate: selfSigned(commonName, keys, validity),
  }
}

function selfSigned(
  commonName: string,
  { publicKey, privateKey }: { readonly publicKey: KeyObject; readonly privateKey: KeyObject },
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): Buffer {
  const algorithm = sequence(oid(SHA256_WITH_RSA), Buffer.from([0x05, 0x00]))
  const name = sequence(setOf(sequence(oid(COMMON_NAME), utf8(commonName))))
  // The first bit stays clear: serial numbers are positive.
  const serial = randomBytes(SERIAL_BYTES)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  const toBeSigned = sequence(
    explicit(0, integer(2)),
    integer(serial),
    algorithm,
    name,
    sequence(certificateTime(fromMs), certificateTime(untilMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(
      3,
      sequence(
        sequence(oid(BASIC_CONSTRAINTS), truth(), octets(sequence())),
        // digitalSignature alone.
        sequence(oid(KEY_USAGE), truth(), octets(bits(Buffer.from([0x80]), 7))),
      ),
    ),
  )
  return sequence(toBeSigned, algorithm, bits(sign('sha256', toBeSigned, privateKey)))
}
