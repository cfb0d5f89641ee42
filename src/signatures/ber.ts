/** Reads ASN.1 that nobody trusts: DER, and BER's indefinite lengths, which AWS's own signatures begin with. */

export interface Node {
  /** Identifier octet. */
  readonly tag: number
  /** Content of a primitive element, and of a constructed one with a definite length. */
  readonly content: Buffer
  /** The whole element as it was read. */
  readonly raw: Buffer
  /** Elements of a constructed one; empty for others. */
  readonly children: readonly Node[]
}

/** Thrown for whatever is no ASN.1 of the expected form. */
export class BadEncoding extends Error {
  override readonly name = 'BadEncoding'
}

const CONSTRUCTED = 0x20
const HIGH_TAG = 0x1f
const INDEFINITE = 0x80
const MAX_DEPTH = 24
const MAX_LENGTH_OCTETS = 4

/** The one element that `bytes` hold; throws when more or less is there. */
export function readBer(bytes: Uint8Array): Node {
  const { node, end } = readAt(Buffer.from(bytes), 0, 0)
  if (end !== bytes.byteLength) throw new BadEncoding('Bytes follow the element')
  return node
}

function readAt(bytes: Buffer, start: number, depth: number): { readonly node: Node; readonly end: number } {
  if (depth > MAX_DEPTH) throw new BadEncoding('Too deeply nested')
  const tag = octetAt(bytes, start)
  if ((tag & HIGH_TAG) === HIGH_TAG) throw new BadEncoding('A tag number is too large')
  const first = octetAt(bytes, start + 1)
  if (first === INDEFINITE) return readIndefinite(bytes, { tag, start, depth })
  const lengthOctets = first > INDEFINITE ? first & 0x7f : 0
  if (lengthOctets > MAX_LENGTH_OCTETS) throw new BadEncoding('A length is too large')
  let length = lengthOctets === 0 ? first : 0
  for (let index = 0; index < lengthOctets; index++) length = length * 256 + octetAt(bytes, start + 2 + index)
  const from = start + 2 + lengthOctets
  const end = from + length
  if (end > bytes.byteLength) throw new BadEncoding('An element reaches beyond the end')
  const content = bytes.subarray(from, end)
  const children = (tag & CONSTRUCTED) === 0 ? [] : readAll(content, depth)
  return { node: { tag, content, raw: bytes.subarray(start, end), children }, end }
}

function readAll(content: Buffer, depth: number): readonly Node[] {
  const children: Node[] = []
  for (let at = 0; at < content.byteLength;) {
    const { node, end } = readAt(content, at, depth + 1)
    children.push(node)
    at = end
  }
  return children
}

/** Up to two zero octets, which no element begins with. */
function readIndefinite(
  bytes: Buffer,
  { tag, start, depth }: { readonly tag: number; readonly start: number; readonly depth: number },
): { readonly node: Node; readonly end: number } {
  if ((tag & CONSTRUCTED) === 0) throw new BadEncoding('A primitive element has no length')
  const children: Node[] = []
  let at = start + 2
  while (octetAt(bytes, at) !== 0) {
    const { node, end } = readAt(bytes, at, depth + 1)
    children.push(node)
    at = end
  }
  if (octetAt(bytes, at + 1) !== 0) throw new BadEncoding('An end is broken')
  const end = at + 2
  return {
    node: { tag, content: bytes.subarray(start + 2, at), raw: bytes.subarray(start, end), children },
    end,
  }
}

function octetAt(bytes: Buffer, index: number): number {
  const octet = bytes[index]
  if (octet === undefined) throw new BadEncoding('The encoding ends early')
  return octet
}

/** The child at `index`, which must have the tag. */
export function childOf(node: Node | undefined, index: number, tag: number): Node {
  const child = node?.children[index]
  if (child?.tag !== tag) throw new BadEncoding(`Expected tag ${tag} at position ${index}`)
  return child
}

/** `1.2.840.113549.1.7.2` */
export function oidText({ content }: Node): string {
  const arcs: number[] = []
  let arc = 0
  for (const octet of content) {
    arc = arc * 128 + (octet & 0x7f)
    if (octet < 0x80) {
      arcs.push(arc)
      arc = 0
    }
  }
  const [first = 0, ...rest] = arcs
  const top = Math.min(2, Math.floor(first / 40))
  return [top, first - top * 40, ...rest].join('.')
}

const TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{1,9}))?Z$/

/** Milliseconds since the epoch of a GeneralizedTime or UTCTime. */
export function timeOf({ tag, content }: Node): number {
  const text = content.toString('latin1')
  const full = tag === 0x17 ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text
  const match = TIME.exec(full)
  if (!match) throw new BadEncoding('A time is unreadable')
  const [, year, month, day, hour, minute, second, fraction = ''] = match
  const time = Date.parse(
    `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, '0')}Z`,
  )
  if (Number.isNaN(time)) throw new BadEncoding('A time does not exist')
  return time
}
