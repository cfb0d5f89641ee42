/**
 * JSON read token by token, with the positions that EventBridge's texts name. They are those of its streaming parser: of a
 * text the start is read first, its end only when somebody asks for the text; a name is read together with the start of
 * its value. Every position here is recorded from AWS; texts about broken JSON without a record say so.
 */

export type Token =
  | { readonly kind: '{' | '}' | '[' | ']' }
  | { readonly kind: 'name' | 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly value: number; readonly text: string }
  | { readonly kind: 'literal'; readonly value: boolean | null; readonly text: string }

/** What is wrong with a pattern, as EventBridge words it after "Reason: ". */
export class PatternError extends Error {
  override name = 'PatternError'
}

export interface JsonTokens {
  next(): Token
  /** Reads the text of the token to its end, which moves the position. */
  textOf(token: Token): string
  /** The error with this text and the position. Nested texts are placed twice, as AWS does. */
  fail(message: string, times?: 1 | 2): PatternError
}

/** More of the source than this is left out of texts. */
const MAX_SOURCE = 500
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /[\w$\u0080-\uffff]*/y

export function createJsonTokens(source: string): JsonTokens {
  /** Where the next token is looked for, and up to where the parser has come as far as texts know. */
  let at = 0
  let position = 0
  const open: ('{' | '[')[] = []
  let ended = false
  let first = true
  /** The value whose start was read with its name. */
  let ahead: Token | undefined

  const place = (upTo: number) => {
    const before = source.slice(0, upTo)
    const lastBreak = before.lastIndexOf('\n')
    const line = before.split('\n').length
    const rest = source.length - MAX_SOURCE
    const shown = rest > 0 ? `"${source.slice(0, MAX_SOURCE)}"[truncated ${rest} chars]` : `"${source}"`
    return `\n at [Source: (String)${shown}; line: ${line}, column: ${upTo - lastBreak}]`
  }
  const failAt = (message: string, upTo: number) => new PatternError(message + place(upTo))
  const skipSpace = () => {
    while (at < source.length && ' \n\r\t'.includes(source.charAt(at))) at++
  }
  const endOfInput = () => {
    // Texts unverified.
    const within = open.at(-1)
    if (!within) return failAt('No content to map due to end-of-input', source.length)
    const what = within === '{' ? 'Object' : 'Array'
    return failAt(`Unexpected end-of-input: expected close marker for ${what}`, source.length)
  }
  const take = (character: string): Token => {
    at++
    position = at
    if (character === '{' || character === '[') open.push(character)
    else open.pop()
    if (open.length === 0) ended = true
    return { kind: character as '{' }
  }
  const scanText = (kind: 'name' | 'string'): Token => {
    const start = at
    for (at++; source[at] !== '"'; at++) {
      if (at >= source.length) {
        throw failAt('Unexpected end-of-input: was expecting closing quote for a string value', source.length)
      }
      if (source[at] === '\\') at++
    }
    at++
    position = start + 1
    try {
      return { kind, text: JSON.parse(source.slice(start, at)) as string }
    } catch {
      throw failAt('Unrecognized character escape or unescaped control character', at)
    }
  }
  const unexpected = (expected: string) => {
    const character = source.charAt(at)
    // The position is that of the character (recorded for a name without quotes).
    return failAt(`Unexpected character ('${character}' (code ${character.charCodeAt(0)})): ${expected}`, at)
  }
  const value = (): Token => {
    skipSpace()
    if (at >= source.length) throw endOfInput()
    const character = source.charAt(at)
    if (character === '{' || character === '[') return take(character)
    if (character === '"') return scanText('string')
    NUMBER.lastIndex = at
    const number = NUMBER.exec(source)?.[0]
    if (number !== undefined) {
      at += number.length
      position = at
      return { kind: 'number', value: Number(number), text: number }
    }
    WORD.lastIndex = at
    const word = WORD.exec(source)?.[0] ?? ''
    if (word === '')
      throw unexpected(
        "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
      )
    at += word.length
    position = at
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true', text: word }
    if (word === 'null') return { kind: 'literal', value: null, text: word }
    throw failAt(
      `Unrecognized token '${word}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`,
      at,
    )
  }
  const afterComma = (within: '{' | '[', close: '}' | ']'): Token | undefined => {
    skipSpace()
    if (at >= source.length) throw endOfInput()
    if (source[at] === close) return take(close)
    if (!first) {
      if (source[at] !== ',') {
        const what = within === '{' ? 'Object' : 'Array'
        throw unexpected(`was expecting comma to separate ${what} entries`)
      }
      at++
      skipSpace()
    }
    return undefined
  }

  return {
    next() {
      if (ahead) {
        const token = ahead
        ahead = undefined
        return token
      }
      if (ended) throw failAt('Unexpected content after the end of the object', at)
      const within = open.at(-1)
      if (within === '{') {
        const closed = afterComma('{', '}')
        first = false
        if (closed) return closed
        if (at >= source.length) throw endOfInput()
        if (source[at] !== '"') throw unexpected('was expecting double-quote to start field name')
        const name = scanText('name')
        skipSpace()
        if (at >= source.length) throw endOfInput()
        if (source[at] !== ':') throw unexpected('was expecting a colon to separate field name and value')
        at++
        ahead = value()
        first = ahead.kind === '{' || ahead.kind === '['
        return name
      }
      if (within === '[') {
        const closed = afterComma('[', ']')
        first = false
        if (closed) return closed
      }
      const token = value()
      first = token.kind === '{' || token.kind === '['
      return token
    },
    textOf(token) {
      if (token.kind !== 'string' && token.kind !== 'name') return 'text' in token ? token.text : token.kind
      if (token.kind === 'string') position = at
      return token.text
    },
    fail(message, times = 1) {
      const placed = message + place(position)
      return new PatternError(times === 2 ? placed + place(position) : placed)
    },
  }
}
