/** Addresses and CIDR ranges, versions 4 and 6. Pure. */

export interface AddressRange {
  readonly bytes: readonly number[]
  readonly prefixBits: number
}

const V4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

function parseV4(text: string): readonly number[] | undefined {
  const bytes = V4.exec(text)?.slice(1).map(Number)
  return bytes?.every((byte) => byte <= 255) ? bytes : undefined
}

const groupsOf = (text: string) => (text === '' ? [] : text.split(':'))

function parseV6(text: string): readonly number[] | undefined {
  if (text.length > 45) return undefined
  const dotted = text.lastIndexOf('.') === -1 ? undefined : parseV4(text.slice(text.lastIndexOf(':') + 1))
  if (text.includes('.') && !dotted) return undefined
  // The last four bytes may be written as an address of version 4: two groups.
  const plain = dotted
    ? `${text.slice(0, text.lastIndexOf(':') + 1)}${groupText(dotted, 0)}:${groupText(dotted, 2)}`
    : text
  const halves = plain.split('::')
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0] ?? '')
  const tail = groupsOf(halves[1] ?? '')
  const gap = 8 - head.length - tail.length
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined
  const groups = [...head, ...Array.from({ length: gap }, () => '0'), ...tail]
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  return groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff])
}

const groupText = (bytes: readonly number[], at: number) =>
  (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16)

/** Four bytes for version 4, also when it is written inside of version 6; else sixteen. */
function parseAddress(text: string): readonly number[] | undefined {
  const bytes = text.includes(':') ? parseV6(text) : parseV4(text)
  const mapped = bytes?.length === 16 && MAPPED.every((byte, index) => bytes[index] === byte)
  return mapped ? bytes.slice(12) : bytes
}

/** `10.0.0.0/8`, `2001:db8::/32`, or a single address; undefined when it is none of them. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = '', prefix, ...more] = text.split('/')
  const bytes = parseAddress(address)
  if (!bytes || more.length > 0) return undefined
  const bits = bytes.length * 8
  if (prefix === undefined) return { bytes, prefixBits: bits }
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits
    ? { bytes, prefixBits: Number(prefix) }
    : undefined
}

export function inRange(address: string, { bytes, prefixBits }: AddressRange): boolean {
  const given = parseAddress(address)
  if (given?.length !== bytes.length) return false
  return bytes.every((byte, index) => {
    const significant = Math.min(8, Math.max(0, prefixBits - index * 8))
    const mask = (0xff << (8 - significant)) & 0xff
    return ((given[index] ?? 0) & mask) === (byte & mask)
  })
}
