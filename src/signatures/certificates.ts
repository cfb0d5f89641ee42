/** Certificates of code signing: an authority that signs itself, and short-lived ones below it. P-384 and SHA-384 throughout. */
import {
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  type KeyObject,
  type X509Certificate,
} from 'node:crypto'

import { childOf, readBer } from './ber.ts'
import {
  bits,
  certificateTime,
  explicit,
  integer,
  octets,
  oid,
  sequence,
  setOf,
  TAG,
  truth,
  utf8,
} from './der.ts'

const ECDSA_WITH_SHA384 = '1.2.840.10045.4.3.3'
const COMMON_NAME = '2.5.4.3'
const BASIC_CONSTRAINTS = '2.5.29.19'
const KEY_USAGE = '2.5.29.15'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'
const SERIAL_BYTES = 16

export interface Identity {
  readonly privateKey: KeyObject
  /** DER. */
  readonly certificate: Buffer
}

interface Validity {
  readonly fromMs: number
  readonly untilMs: number
}

const nameOf = (commonName: string) => sequence(setOf(sequence(oid(COMMON_NAME), utf8(commonName))))
const extension = (id: string, value: Uint8Array, critical: boolean) =>
  sequence(oid(id), ...(critical ? [truth()] : []), octets(value))

/** digitalSignature, or keyCertSign and cRLSign. */
const usage = (isAuthority: boolean) =>
  isAuthority ? bits(Buffer.from([0x06]), 1) : bits(Buffer.from([0x80]), 7)

function issue(options: {
  readonly commonName: string
  readonly publicKey: KeyObject
  /** DER of the issuer's name. */
  readonly issuer: Uint8Array
  readonly issuerKey: KeyObject
  readonly validity: Validity
  readonly isAuthority: boolean
}): Buffer {
  const { commonName, publicKey, issuer, issuerKey, validity, isAuthority } = options
  const algorithm = sequence(oid(ECDSA_WITH_SHA384))
  // The first bit stays clear: serial numbers are positive.
  const serial = randomBytes(SERIAL_BYTES)
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  const toBeSigned = sequence(
    explicit(0, integer(2)),
    integer(serial),
    algorithm,
    issuer,
    sequence(certificateTime(validity.fromMs), certificateTime(validity.untilMs)),
    nameOf(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(
      3,
      sequence(
        extension(BASIC_CONSTRAINTS, sequence(...(isAuthority ? [truth()] : [])), true),
        extension(KEY_USAGE, usage(isAuthority), true),
        ...(isAuthority ? [] : [extension(EXTENDED_KEY_USAGE, sequence(oid(CODE_SIGNING)), false)]),
      ),
    ),
  )
  return sequence(toBeSigned, algorithm, bits(sign('sha384', toBeSigned, issuerKey)))
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-384' })

export function createAuthority(commonName: string, validity: Validity): Identity {
  const { publicKey, privateKey } = newKeys()
  const issuer = nameOf(commonName)
  const certificate = issue({
    commonName,
    publicKey,
    issuer,
    issuerKey: privateKey,
    validity,
    isAuthority: true,
  })
  return { privateKey, certificate }
}

/** A signer below the authority. Its key is for one signature and is nowhere kept. */
export function createSigner(authority: Identity, commonName: string, validity: Validity): Identity {
  const { publicKey, privateKey } = newKeys()
  const certificate = issue({
    commonName,
    publicKey,
    issuer: namesOf(authority.certificate).subject,
    issuerKey: authority.privateKey,
    validity,
    isAuthority: false,
  })
  return { privateKey, certificate }
}

/** DER of a certificate's names, and its serial number's octets. */
export function namesOf(certificate: Uint8Array) {
  const [tbs] = readBer(certificate).children
  // Version 1 certificates leave the first member out; none of them is any good here.
  const serial = childOf(tbs, 1, TAG.integer)
  return {
    serial: serial.content,
    issuer: childOf(tbs, 3, TAG.sequence).raw,
    subject: childOf(tbs, 5, TAG.sequence).raw,
  }
}

export const exportKey = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'der' }).toString('base64')
export const importKey = (text: string) =>
  createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })

const MAX_CHAIN = 6

/**
 * Whether `leaf` may sign code and leads to one of `roots`, by way of `others`, all of them valid at `atMs`. A signer's
 * certificate lives shorter than what it signed, which is why the moment is that of the signature.
 */
export function leadsToRoot(
  leaf: X509Certificate,
  others: readonly X509Certificate[],
  roots: readonly X509Certificate[],
  atMs: number,
): boolean {
  const isValid = (each: X509Certificate) =>
    each.validFromDate.getTime() <= atMs && atMs <= each.validToDate.getTime()
  const { asymmetricKeyType, asymmetricKeyDetails } = leaf.publicKey
  if (leaf.ca || asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'secp384r1') return false
  if (!leaf.keyUsage.includes(CODE_SIGNING)) return false
  const issued = (by: X509Certificate, one: X509Certificate) =>
    by.ca && one.checkIssued(by) && one.verify(by.publicKey)
  let current = leaf
  for (let step = 0; step < MAX_CHAIN; step++) {
    if (!isValid(current)) return false
    const root = roots.find((each) => issued(each, current))
    if (root) return isValid(root)
    const next = others.find((each) => each !== current && issued(each, current))
    if (!next) return false
    current = next
  }
  return false
}
