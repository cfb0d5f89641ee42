/**
 * What is wrong with a text that should be JSON, in the words of the library that AWS uses. Several of the texts are
 * recorded from AWS (invalid UTF-8, unrecognised token, missing comma); the others follow the library's own, and the
 * exact columns of all but the recorded ones are unverified.
 */

/** `at` is the byte offset that the column is counted from: the offending byte, or the end of the text. */
export class JsonFault extends Error {
  override name = 'JsonFault'
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

const SOURCE = '[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); '

/** `[Source: REDACTED (...); line: L, column: C]`, both counted from 1, the column in bytes. */
export function locationOf(bytes: Uint8Array, at: number): string {
  let line = 1
  let lineStart = 0
  for (
    let newline = bytes.indexOf(0x0a);
    newline !== -1 && newline < at;
    newline = bytes.indexOf(0x0a, lineStart)
  ) {
    line++
    lineStart = newline + 1
  }
  return `${SOURCE}line: ${line}, column: ${at - lineStart + 1}]`
}

/** The character that begins at `at`, however many bytes it has. */
function characterAt(bytes: Uint8Array, at: number): { readonly text: string; readonly code: number } {
  const text = [...Buffer.from(bytes.subarray(at, at + 4)).toString('utf8')][0] ?? ''
  return { text, code: text.codePointAt(0) ?? 0 }
}

const describe = (bytes: Uint8Array, at: number) => {
  const { text, code } = characterAt(bytes, at)
  return code < 0x20 ? `(CTRL-CHAR, code ${code})` : `'${text}' (code ${code})`
}

export const unexpectedByte = (bytes: Uint8Array, at: number, comment: string) =>
  new JsonFault(`Unexpected character (${describe(bytes, at)}): ${comment}`, at)

export const badNumber = (bytes: Uint8Array, at: number, comment: string) =>
  new JsonFault(`Unexpected character (${describe(bytes, at)}) in numeric value: ${comment}`, at)

export const badEscape = (bytes: Uint8Array, at: number) =>
  new JsonFault(`Unrecognized character escape ${describe(bytes, at)}`, at)

export const controlCharacter = (at: number, byte: number, name: boolean) =>
  new JsonFault(
    `Illegal unquoted character ((CTRL-CHAR, code ${byte})): has to be escaped using backslash to be included in ${name ? 'name' : 'string value'}`,
    at,
  )

export const tooDeep = (at: number, max: number) =>
  new JsonFault(
    `Document nesting depth (${max + 1}) exceeds the maximum allowed (${max}, from \`StreamReadConstraints.getMaxNestingDepth()\`)`,
    at,
  )

export function wrongClose(bytes: Uint8Array, at: number, mark: number) {
  const [kind, expected, start] = mark >= 0 ? ['Object', '}', mark] : ['Array', ']', ~mark]
  const found = String.fromCharCode(bytes[at] ?? 0)
  return new JsonFault(
    `Unexpected close marker '${found}': expected '${expected}' (for ${kind} starting at ${locationOf(bytes, Number(start))})`,
    at,
  )
}

/** The end came too early; `mark` is the bracket that was left open. */
export function endOfInput(at: number, where: string, bytes?: Uint8Array, mark?: number) {
  const start =
    bytes === undefined || mark === undefined ? '' : `${locationOf(bytes, mark >= 0 ? mark : ~mark)})`
  return new JsonFault(`Unexpected end-of-input${where}${start}`, at)
}

/** Longest token that is quoted in a message. */
const MAX_TOKEN = 256
const VALID_VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

export function unrecognisedToken(bytes: Uint8Array, from: number) {
  const text = Buffer.from(bytes.subarray(from, from + MAX_TOKEN)).toString('utf8')
  const word = /^[\p{L}\p{N}_$]+/u.exec(text)?.[0]
  if (word === undefined) return unexpectedByte(bytes, from, `expected a valid value ${VALID_VALUES}`)
  if (word === 'NaN' || word === 'Infinity') {
    const message = `Non-standard token '${word}': enable \`JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS\` to allow`
    return new JsonFault(message, from + word.length)
  }
  return new JsonFault(
    `Unrecognized token '${word}': was expecting ${VALID_VALUES}`,
    from + Buffer.byteLength(word),
  )
}

/** The first byte that breaks UTF-8, for texts that are known not to be UTF-8. */
export function firstBrokenByte(bytes: Uint8Array): JsonFault {
  const hex = (byte: number) => `0x${byte.toString(16).padStart(2, '0')}`
  let at = 0
  while (at < bytes.length) {
    const byte = bytes[at] as number
    const more = byte < 0x80 ? 0 : byte >> 5 === 6 ? 1 : byte >> 4 === 14 ? 2 : byte >> 3 === 30 ? 3 : -1
    if (more === -1) return new JsonFault(`Invalid UTF-8 start byte ${hex(byte)}`, at)
    for (let n = 1; n <= more; n++) {
      const middle = bytes[at + n]
      if (middle === undefined) return new JsonFault('Unexpected end-of-input in VALUE_STRING', bytes.length)
      if (middle >> 6 !== 2) return new JsonFault(`Invalid UTF-8 middle byte ${hex(middle)}`, at + n)
    }
    at += more + 1
  }
  // Well-formed by its lead bytes and yet refused: an overlong form or a surrogate.
  return new JsonFault('Invalid UTF-8', bytes.length)
}
