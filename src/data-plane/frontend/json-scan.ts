/**
 * Checks that bytes are one JSON value, without building it: a loop over the bytes with a stack of open brackets.
 * It can stop anywhere between two tokens and go on later, so that a large payload does not hold up all others.
 */
import {
  badEscape,
  badNumber,
  controlCharacter,
  endOfInput,
  JsonFault,
  tooDeep,
  unexpectedByte,
  unrecognisedToken,
  wrongClose,
} from '#data-plane/frontend/json-faults.ts'

/** Where the scan is in the grammar. */
const VALUE = 0
const FIRST_ITEM = 1
const FIRST_KEY = 2
const KEY = 3
const COLON = 4
const AFTER_VALUE = 5
const END = 6

/** Deepest nesting. Source: default of the JSON library whose error texts AWS sends; that AWS keeps it is unverified. */
const MAX_DEPTH = 1000

export interface JsonScan {
  readonly bytes: Uint8Array
  at: number
  state: number
  /** Offsets of the open brackets: of objects as they are, of arrays as their complement (negative). */
  readonly open: number[]
}

export const createJsonScan = (bytes: Uint8Array): JsonScan => {
  // A byte order mark is skipped, as the JSON library does that AWS uses.
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
  return { bytes, at: marked ? 3 : 0, state: VALUE, open: [] }
}

/** 1 for bytes that a string may hold as they are: neither quote, backslash nor control character. */
const PLAIN = new Uint8Array(256).fill(1, 0x20)
PLAIN[0x22] = 0
PLAIN[0x5c] = 0
/** 1 for what may follow a backslash, except u. */
const ESCAPED = new Uint8Array(256)
for (const character of '"\\/bfnrt') ESCAPED[character.charCodeAt(0)] = 1

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39
const isHex = (byte: number | undefined) =>
  isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)

/** Offset behind the closing quote of a string whose first character is at `from`. */
function endOfString(bytes: Uint8Array, from: number, end: number, name: boolean): number {
  let at = from
  for (;;) {
    // Four at a time: most of a large payload is text.
    while (
      at + 4 <= end &&
      ((PLAIN[bytes[at] as number] as number) &
        (PLAIN[bytes[at + 1] as number] as number) &
        (PLAIN[bytes[at + 2] as number] as number) &
        (PLAIN[bytes[at + 3] as number] as number)) ===
        1
    ) {
      at += 4
    }
    while (at < end && PLAIN[bytes[at] as number] === 1) at++
    if (at >= end) throw endOfInput(end, name ? ' in field name' : ' in VALUE_STRING')
    const byte = bytes[at] as number
    if (byte === 0x22) return at + 1
    if (byte !== 0x5c) throw controlCharacter(at, byte, name)
    const escaped = bytes[at + 1]
    if (at + 1 >= end || escaped === undefined) throw endOfInput(end, ' in character escape sequence')
    if (ESCAPED[escaped] === 1) at += 2
    else if (escaped === 0x75) {
      for (let digit = at + 2; digit < at + 6; digit++) {
        if (digit >= end) throw endOfInput(end, ' in character escape sequence')
        if (!isHex(bytes[digit])) {
          throw unexpectedByte(bytes, digit, 'expected a hex-digit for character escape sequence')
        }
      }
      at += 6
    } else throw badEscape(bytes, at + 1)
  }
}

/** Offset behind the number that begins at `from`. */
function endOfNumber(bytes: Uint8Array, from: number, end: number): number {
  let at = from
  const digits = (complaint: string) => {
    if (at >= end) throw endOfInput(end, ` in numeric value: ${complaint}`)
    if (!isDigit(bytes[at])) throw badNumber(bytes, at, complaint)
    while (at < end && isDigit(bytes[at])) at++
  }
  if (bytes[at] === 0x2d) at++
  const first = at
  digits('expected digit (0-9) to follow minus sign, for valid numeric value')
  if (bytes[first] === 0x30 && at > first + 1) {
    throw new JsonFault('Invalid numeric value: Leading zeroes not allowed', first + 1)
  }
  if (at < end && bytes[at] === 0x2e) {
    at++
    digits('Decimal point not followed by a digit')
  }
  if (at < end && (bytes[at] === 0x65 || bytes[at] === 0x45)) {
    at++
    if (at < end && (bytes[at] === 0x2b || bytes[at] === 0x2d)) at++
    digits('Exponent indicator not followed by a digit')
  }
  return at
}

const LITERALS = ['true', 'false', 'null'].map((text) => Buffer.from(text))

/** Offset behind `true`, `false` or `null`. */
function endOfLiteral(bytes: Uint8Array, from: number): number {
  for (const literal of LITERALS) {
    let at = 0
    while (at < literal.length && bytes[from + at] === literal[at]) at++
    if (at === literal.length && !isWordByte(bytes[from + at])) return from + at
  }
  throw unrecognisedToken(bytes, from)
}

const isWordByte = (byte: number | undefined) =>
  isDigit(byte) || (byte !== undefined && (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a)

const isObject = (mark: number) => mark >= 0

/** Goes on to the first token that begins at or behind `until`. Throws `JsonFault` where the text is no JSON. */
export function continueScan(scan: JsonScan, until: number, end: number): void {
  const { bytes, open } = scan
  let { at, state } = scan
  while (at < until) {
    const byte = bytes[at] as number
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      at++
      continue
    }
    switch (state) {
      case FIRST_ITEM:
      case VALUE:
        if (byte === 0x7b || byte === 0x5b) {
          if (open.length >= MAX_DEPTH) throw tooDeep(at, MAX_DEPTH)
          open.push(byte === 0x7b ? at : ~at)
          state = byte === 0x7b ? FIRST_KEY : FIRST_ITEM
          at++
          break
        }
        if (state === FIRST_ITEM && byte === 0x5d) {
          open.pop()
          at++
        } else if (byte === 0x22) at = endOfString(bytes, at + 1, end, false)
        else if (byte === 0x2d || isDigit(byte)) at = endOfNumber(bytes, at, end)
        else at = endOfLiteral(bytes, at)
        state = open.length === 0 ? END : AFTER_VALUE
        break
      case FIRST_KEY:
      case KEY:
        if (byte === 0x22) {
          at = endOfString(bytes, at + 1, end, true)
          state = COLON
        } else if (state === FIRST_KEY && byte === 0x7d) {
          open.pop()
          at++
          state = open.length === 0 ? END : AFTER_VALUE
        } else throw unexpectedByte(bytes, at, 'was expecting double-quote to start field name')
        break
      case COLON:
        if (byte !== 0x3a) {
          throw unexpectedByte(bytes, at, 'was expecting a colon to separate field name and value')
        }
        at++
        state = VALUE
        break
      case AFTER_VALUE: {
        const mark = open[open.length - 1] as number
        if (byte === 0x2c) state = isObject(mark) ? KEY : VALUE
        else if (byte === (isObject(mark) ? 0x7d : 0x5d)) {
          open.pop()
          if (open.length === 0) state = END
        } else if (byte === 0x7d || byte === 0x5d) throw wrongClose(bytes, at, mark)
        else {
          const kind = isObject(mark) ? 'Object' : 'Array'
          throw unexpectedByte(bytes, at, `was expecting comma to separate ${kind} entries`)
        }
        at++
        break
      }
      // That AWS refuses whatever follows the value is unverified; no runtime could read it anyway.
      default:
        throw unexpectedByte(bytes, at, 'Expected space separating root-level values')
    }
  }
  scan.at = at
  scan.state = state
}

/** Call it when the scan has reached the end. Throws `JsonFault` when the value is not complete. */
export function finishScan({ bytes, open, state }: JsonScan): void {
  if (state === END) return
  const mark = open.at(-1)
  if (mark === undefined) throw new JsonFault('No content to map due to end-of-input', bytes.length)
  const kind = isObject(mark) ? 'Object' : 'Array'
  if (state === AFTER_VALUE || state === FIRST_KEY || state === FIRST_ITEM) {
    throw endOfInput(bytes.length, `: expected close marker for ${kind} (start marker at `, bytes, mark)
  }
  throw endOfInput(bytes.length, ` within/between ${kind} entries`)
}
