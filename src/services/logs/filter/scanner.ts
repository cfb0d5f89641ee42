/** Reads a filter pattern from left to right. */
import { FilterPatternError } from './filter-error.ts'

export interface Scanner {
  /** Skips white space and tells whether `text` comes next. */
  peek(text: string): boolean
  /** Takes `text` when it comes next. */
  take(text: string): boolean
  /** Takes `text` or throws. */
  expect(text: string): void
  /** Takes what the sticky expression matches. */
  match(expression: RegExp): string | undefined
  /** Takes "...", with \" and \\ inside. */
  quoted(): string
  /** Takes everything between two `mark`s. */
  delimited(mark: string): string
  atEnd(): boolean
}

export const invalid = () => new FilterPatternError('Invalid filter pattern')

export function createScanner(source: string): Scanner {
  let at = 0
  const skip = () => {
    while (at < source.length && /\s/.test(source[at] ?? '')) at++
  }
  const scanner: Scanner = {
    peek(text) {
      skip()
      return source.startsWith(text, at)
    },
    take(text) {
      if (!scanner.peek(text)) return false
      at += text.length
      return true
    },
    expect(text) {
      if (!scanner.take(text)) throw invalid()
    },
    match(expression) {
      skip()
      expression.lastIndex = at
      const found = expression.exec(source)?.[0]
      at += found?.length ?? 0
      return found
    },
    quoted() {
      scanner.expect('"')
      let text = ''
      for (; at < source.length; at++) {
        const char = source[at] ?? ''
        if (char === '"') {
          at++
          return text
        }
        if (char === '\\' && (source[at + 1] === '"' || source[at + 1] === '\\')) at++
        text += source[at] ?? ''
      }
      throw invalid()
    },
    delimited(mark) {
      scanner.expect(mark)
      const end = source.indexOf(mark, at)
      if (end === -1) throw invalid()
      const text = source.slice(at, end)
      at = end + mark.length
      return text
    },
    atEnd() {
      skip()
      return at >= source.length
    },
  }
  return scanner
}

/** Reads `a || b && (c || d)`: AND binds stronger than OR. `readTerm` reads what is neither. */
export function readExpression<Subject>(
  scanner: Scanner,
  readTerm: () => (subject: Subject) => boolean,
): (subject: Subject) => boolean {
  let depth = 0
  const readFactor = (): ((subject: Subject) => boolean) => {
    if (!scanner.take('(')) return readTerm()
    // A pattern has at most 1,024 characters; this keeps the stack shallow all the same.
    if (++depth > 64) throw invalid()
    const inner = readOr()
    scanner.expect(')')
    depth--
    return inner
  }
  const readAnd = () => {
    const factors = [readFactor()]
    while (scanner.take('&&')) factors.push(readFactor())
    return factors.length === 1 && factors[0]
      ? factors[0]
      : (subject: Subject) => factors.every((test) => test(subject))
  }
  const readOr = (): ((subject: Subject) => boolean) => {
    const terms = [readAnd()]
    while (scanner.take('||')) terms.push(readAnd())
    return terms.length === 1 && terms[0]
      ? terms[0]
      : (subject: Subject) => terms.some((test) => test(subject))
  }
  return readOr()
}
