/** Writes ASN.1 in DER: the few types that certificates and CMS signatures are made of. */

type Bytes = Uint8Array

/** Identifier octets. */
export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific and constructed: `[0]` is `context + 0`. */
  context: 0xa0,
} as const

const MAX_LENGTH_OCTETS = 4

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const long = Buffer.alloc(MAX_LENGTH_OCTETS)
  long.writeUInt32BE(length)
  const octets = long.subarray(long.findIndex((octet) => octet !== 0))
  return Buffer.concat([Buffer.from([0x80 | octets.byteLength]), octets])
}

export function element(tag: number, ...parts: readonly Bytes[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag]), lengthOctets(content.byteLength), content])
}

export const sequence = (...parts: readonly Bytes[]) => element(TAG.sequence, ...parts)
/** SET OF: DER wants its elements in the order of their encodings. */
export const setOf = (...parts: readonly Bytes[]) =>
  element(TAG.set, ...parts.toSorted((a, b) => Buffer.compare(a, b)))
export const explicit = (number: number, ...parts: readonly Bytes[]) =>
  element(TAG.context + number, ...parts)

/** A number that is not negative, big-endian. */
export function integer(value: number | Bytes): Buffer {
  const octets = typeof value === 'number' ? Buffer.from([value]) : Buffer.from(value)
  const start = octets.findIndex((octet) => octet !== 0)
  const digits = start === -1 ? Buffer.from([0]) : octets.subarray(start)
  return element(TAG.integer, ...((digits[0] ?? 0) >= 0x80 ? [Buffer.from([0])] : []), digits)
}

export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const octets = [first * 40 + second]
  for (const arc of rest) {
    const digits = [arc & 0x7f]
    for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | (left & 0x7f))
    octets.push(...digits)
  }
  return element(TAG.oid, Buffer.from(octets))
}

export const utf8 = (text: string) => element(TAG.utf8String, Buffer.from(text))
export const octets = (bytes: Bytes) => element(TAG.octetString, bytes)
export const bits = (bytes: Bytes, unused = 0) => element(TAG.bitString, Buffer.from([unused]), bytes)
export const truth = () => Buffer.from([0x01, 0x01, 0xff])

const digitsOf = (milliseconds: number) => new Date(milliseconds).toISOString().replaceAll(/[-:T]/g, '')

/** With milliseconds, without trailing zeros: `20260928091926.8Z`. */
export function generalizedTime(milliseconds: number): Buffer {
  const [seconds = '', fraction = ''] = digitsOf(milliseconds).replace('Z', '').split('.')
  const digits = fraction.replace(/0+$/, '')
  return element(TAG.generalizedTime, Buffer.from(`${seconds}${digits === '' ? '' : `.${digits}`}Z`))
}

/** Time of a certificate: whole seconds, and two digits for the years up to 2049 (RFC 5280). */
export function certificateTime(milliseconds: number): Buffer {
  const text = `${digitsOf(milliseconds).slice(0, 14)}Z`
  return Number(text.slice(0, 4)) < 2050
    ? element(TAG.utcTime, Buffer.from(text.slice(2)))
    : element(TAG.generalizedTime, Buffer.from(text))
}
