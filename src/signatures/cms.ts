/**
 * The CMS (RFC 5652) envelope of AWS Signer's Lambda platform: SignedData over detached content, one signer, ECDSA P-384
 * with SHA-384, as PEM. Who signed, and until when that counts, stand in three signed attributes of AWS's own.
 */
import { createHash, sign, timingSafeEqual, verify, X509Certificate } from 'node:crypto'

import { BadEncoding, childOf, oidText, readBer, timeOf, type Node } from './ber.ts'
import { leadsToRoot, namesOf, type Identity } from './certificates.ts'
import {
  element,
  explicit,
  generalizedTime,
  integer,
  octets,
  oid,
  sequence,
  setOf,
  TAG,
  utf8,
} from './der.ts'

const DATA = '1.2.840.113549.1.7.1'
const SIGNED_DATA = '1.2.840.113549.1.7.2'
const SHA384 = '2.16.840.1.101.3.4.2.2'
const ECDSA_WITH_SHA384 = '1.2.840.10045.4.3.3'
/** The last three as others have read them in zips that AWS signed. */
const ATTRIBUTE = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  algorithmProtection: '1.2.840.113549.1.9.52',
  job: '1.3.187.137.1.2',
  expiry: '1.3.187.137.1.3',
  profile: '1.3.187.137.1.4',
} as const

/** What a signature says. */
export interface Claims {
  readonly profileVersionArn: string
  readonly jobArn: string
  /** Milliseconds since the epoch. */
  readonly signedAt: number
  readonly expiresAt: number
}

const digestOf = (content: Uint8Array) => createHash('sha384').update(content).digest()
const sha384 = sequence(oid(SHA384))
const ecdsa = sequence(oid(ECDSA_WITH_SHA384))
const attribute = (id: string, value: Uint8Array) => sequence(oid(id), setOf(value))

const PEM_HEAD = '-----BEGIN PKCS7-----'
const PEM_FOOT = '-----END PKCS7-----'

/** `authority` is the DER of the certificate above the signer's. The result is PEM. */
export function signContent(
  content: Uint8Array,
  claims: Claims,
  { signer, authority }: { readonly signer: Identity; readonly authority: Uint8Array },
): string {
  const attributes = setOf(
    attribute(ATTRIBUTE.contentType, oid(DATA)),
    attribute(ATTRIBUTE.messageDigest, octets(digestOf(content))),
    attribute(ATTRIBUTE.signingTime, generalizedTime(claims.signedAt)),
    attribute(ATTRIBUTE.expiry, generalizedTime(claims.expiresAt)),
    attribute(ATTRIBUTE.job, utf8(claims.jobArn)),
    attribute(ATTRIBUTE.profile, utf8(claims.profileVersionArn)),
    attribute(ATTRIBUTE.algorithmProtection, sequence(sha384, explicit(1, oid(ECDSA_WITH_SHA384)))),
  )
  const { issuer, serial } = namesOf(signer.certificate)
  const certificates = [signer.certificate, authority].toSorted((a, b) => Buffer.compare(a, b))
  const signedData = sequence(
    integer(1),
    setOf(sha384),
    sequence(oid(DATA)),
    explicit(0, ...certificates),
    setOf(
      sequence(
        integer(1),
        sequence(issuer, integer(serial)),
        sha384,
        // What is signed is the set; what is sent has an implicit tag in its place.
        element(TAG.context, readBer(attributes).content),
        ecdsa,
        octets(sign('sha384', attributes, signer.privateKey)),
      ),
    ),
  )
  const envelope = sequence(oid(SIGNED_DATA), explicit(0, signedData))
  const lines = envelope.toString('base64').match(/.{1,64}/g) ?? []
  return [PEM_HEAD, ...lines, PEM_FOOT, ''].join('\n')
}

/**
 * The claims of a signature over `content` whose signer leads to one of `roots`. Throws `BadEncoding` with the reason for
 * everything else. Whether the claims still count (expiry, revocation, the allowed profiles) is the caller's business.
 */
export function verifyContent(
  content: Uint8Array,
  pem: Uint8Array,
  roots: readonly X509Certificate[],
): Claims {
  const data = signedDataOf(readBer(fromPem(pem)))
  const [signerInfo] = childOf(data, data.children.length - 1, TAG.set).children
  const certificates = childOf(data, 3, TAG.context).children.map(({ raw }) => raw)
  const attributes = childOf(signerInfo, 3, TAG.context)
  const values = attributesOf(attributes)
  if (!sameBytes(valueOf(values, ATTRIBUTE.messageDigest, TAG.octetString).content, digestOf(content))) {
    throw new BadEncoding('The content was changed after it was signed')
  }
  const certificate = signerOf(childOf(signerInfo, 1, TAG.sequence), certificates)
  assertAlgorithm(signerInfo, 2, SHA384)
  assertAlgorithm(signerInfo, 4, ECDSA_WITH_SHA384)
  const signature = childOf(signerInfo, 5, TAG.octetString).content
  const leaf = new X509Certificate(certificate)
  if (!verify('sha384', Buffer.from(element(TAG.set, attributes.content)), leaf.publicKey, signature)) {
    throw new BadEncoding('The signature does not fit its signer')
  }
  const claims = claimsOf(values)
  const others = certificates.filter((each) => each !== certificate).map((each) => new X509Certificate(each))
  if (!leadsToRoot(leaf, others, roots, claims.signedAt)) throw new BadEncoding('The signer is not trusted')
  return claims
}

function fromPem(pem: Uint8Array): Buffer {
  const text = Buffer.from(pem).toString('latin1').trim()
  if (!text.startsWith(PEM_HEAD) || !text.endsWith(PEM_FOOT)) throw new BadEncoding('No PKCS7 in PEM')
  const body = text.slice(PEM_HEAD.length, -PEM_FOOT.length).replaceAll(/\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) throw new BadEncoding('No base64')
  return Buffer.from(body, 'base64')
}

function signedDataOf(envelope: Node): Node {
  if (oidText(childOf(envelope, 0, TAG.oid)) !== SIGNED_DATA) throw new BadEncoding('No SignedData')
  const data = childOf(childOf(envelope, 1, TAG.context), 0, TAG.sequence)
  const content = childOf(data, 2, TAG.sequence)
  // Content inside the envelope would be something that was not looked at.
  if (oidText(childOf(content, 0, TAG.oid)) !== DATA || content.children.length !== 1) {
    throw new BadEncoding('The content is not detached')
  }
  if (childOf(data, data.children.length - 1, TAG.set).children.length !== 1) {
    throw new BadEncoding('Not exactly one signer')
  }
  return data
}

function assertAlgorithm(signerInfo: Node | undefined, index: number, id: string): void {
  if (oidText(childOf(childOf(signerInfo, index, TAG.sequence), 0, TAG.oid)) !== id) {
    throw new BadEncoding('Another algorithm')
  }
}

function signerOf(identifier: Node, certificates: readonly Buffer[]): Buffer {
  const issuer = childOf(identifier, 0, TAG.sequence).raw
  const serial = childOf(identifier, 1, TAG.integer).content
  const found = certificates.filter((certificate) => {
    const names = namesOf(certificate)
    return sameBytes(names.issuer, issuer) && sameBytes(names.serial, serial)
  })
  const [only] = found
  if (found.length !== 1 || !only) throw new BadEncoding('The signer has no certificate')
  return only
}

/** Each attribute once, with one value. */
function attributesOf(attributes: Node): ReadonlyMap<string, Node> {
  const values = new Map<string, Node>()
  for (const each of attributes.children) {
    const id = oidText(childOf(each, 0, TAG.oid))
    const set = childOf(each, 1, TAG.set)
    const [value] = set.children
    if (values.has(id) || set.children.length !== 1 || !value)
      throw new BadEncoding('An attribute is doubled')
    values.set(id, value)
  }
  return values
}

function valueOf(values: ReadonlyMap<string, Node>, id: string, ...tags: readonly number[]): Node {
  const value = values.get(id)
  if (!value || !tags.includes(value.tag)) throw new BadEncoding(`Attribute ${id} is missing`)
  return value
}

const PROFILE_VERSION =
  /^arn:[a-z-]+:signer:[a-z0-9-]+:\d{12}:\/signing-profiles\/[A-Za-z0-9_]{2,64}\/[A-Za-z0-9]{10}$/
const JOB = /^arn:[a-z-]+:signer:[a-z0-9-]+:\d{12}:\/signing-jobs\/[A-Za-z0-9-]{1,64}$/

function claimsOf(values: ReadonlyMap<string, Node>): Claims {
  if (oidText(valueOf(values, ATTRIBUTE.contentType, TAG.oid)) !== DATA)
    throw new BadEncoding('Other content')
  const time = (id: string) => timeOf(valueOf(values, id, TAG.generalizedTime, TAG.utcTime))
  const text = (id: string) => valueOf(values, id, TAG.utf8String).content.toString('utf8')
  const claims: Claims = {
    profileVersionArn: text(ATTRIBUTE.profile),
    jobArn: text(ATTRIBUTE.job),
    signedAt: time(ATTRIBUTE.signingTime),
    expiresAt: time(ATTRIBUTE.expiry),
  }
  if (!PROFILE_VERSION.test(claims.profileVersionArn) || !JOB.test(claims.jobArn)) {
    throw new BadEncoding('The attributes name no profile or no job')
  }
  return claims
}

const sameBytes = (a: Uint8Array, b: Uint8Array) => a.byteLength === b.byteLength && timingSafeEqual(a, b)
