/** CloudWatch Logs' filter patterns. Source: "Filter pattern syntax" of its user guide. */
import { FilterPatternError } from './filter-error.ts'
import { parseJsonPattern } from './json-pattern.ts'
import { compileRegex } from './linear-regex.ts'
import { createScanner, type Scanner } from './scanner.ts'
import { parseSpacePattern } from './space-pattern.ts'

export type LogFilter = (message: string) => boolean

/** API model: filterPattern has at most 1,024 characters. */
const MAX_PATTERN = 1024

/** Throws `FilterPatternError` with AWS's text. An empty pattern matches everything. */
export function parseFilterPattern(pattern: string): LogFilter {
  const text = pattern.trim()
  if (text.length > MAX_PATTERN) throw new FilterPatternError('Invalid filter pattern')
  if (text === '') return () => true
  if (text.startsWith('{')) return parseJsonPattern(inside(text, '{', '}'))
  if (text.startsWith('[')) return parseSpacePattern(inside(text, '[', ']'))
  return parseTerms(text)
}

function inside(text: string, open: string, close: string): string {
  if (text.length < 2 || !text.endsWith(close)) {
    throw new FilterPatternError(`If a filter pattern starts with '${open}' it must end with '${close}'`)
  }
  return text.slice(1, -1)
}

/** A bare term: letters, digits and underscores. Whatever else is in it must be quoted. */
const TERM = /[^\s"]+/y
const PLAIN_TERM = /^[\p{L}\p{M}\p{N}_]+$/u

/**
 * Terms without a sign must all occur, terms with `-` must not, and of terms with `?` one is enough. AWS ignores the
 * terms with `?` as soon as there are others.
 */
function parseTerms(text: string): LogFilter {
  const scanner = createScanner(text)
  const required: LogFilter[] = []
  const excluded: LogFilter[] = []
  const optional: LogFilter[] = []
  while (!scanner.atEnd()) {
    const list = scanner.take('-') ? excluded : scanner.take('?') ? optional : required
    list.push(readTerm(scanner))
  }
  if (required.length === 0 && excluded.length === 0) {
    return (message) => optional.some((test) => test(message))
  }
  return (message) => required.every((test) => test(message)) && !excluded.some((test) => test(message))
}

function readTerm(scanner: Scanner): LogFilter {
  if (scanner.peek('%')) return compileRegex(scanner.delimited('%'))
  const quoted = scanner.peek('"')
  const term = quoted ? scanner.quoted() : scanner.match(TERM)
  if (term === undefined || term === '') throw new FilterPatternError('Invalid filter pattern')
  if (!quoted && !PLAIN_TERM.test(term)) {
    throw new FilterPatternError(`Invalid character(s) in term '${term}'`)
  }
  return (message) => message.includes(term)
}
