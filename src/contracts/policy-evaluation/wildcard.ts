/** Texts with wildcards and variables, as policies write them. Pure. */

/** Values of a key of the request; undefined or empty when the request does not have it. `key` is in lower case. */
export type ContextLookup = (key: string) => readonly string[] | undefined

type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** `*`: any characters. */
  | { readonly kind: 'any' }
  /** `?`: one character. */
  | { readonly kind: 'one' }
  | { readonly kind: 'variable'; readonly key: string; readonly fallback: string | undefined }

/** What stands between two stars. */
interface Run {
  readonly text: string
  /** Positions in `text` where any character fits. */
  readonly holes: ReadonlySet<number> | undefined
}

/** A text with wildcards, ready to be compared. */
export interface Pattern {
  readonly source: string
  readonly parts: readonly Part[]
  /** Undefined when the pattern has variables, which are only known with the request. */
  readonly runs: readonly Run[] | undefined
}

export interface PatternSyntax {
  /** `*` and `?` are wildcards. */
  readonly wildcards: boolean
  /** `${key}` and `${key, 'default'}` are replaced; only in policies of version 2012-10-17. */
  readonly variables: boolean
}

const VARIABLE = /^\$\{\s*([^{},']+?)\s*(?:,\s*'([^'{}]*)'\s*)?\}/
/** Written as variables so that they stand for themselves. */
const LITERALS = new Set(['*', '?', '$'])

export function compilePattern(source: string, { wildcards, variables }: PatternSyntax): Pattern {
  const parts: Part[] = []
  let text = ''
  const flush = () => {
    if (text !== '') parts.push({ kind: 'text', text })
    text = ''
  }
  for (let at = 0; at < source.length; at++) {
    const char = source[at] ?? ''
    const variable =
      variables && char === '$' && source[at + 1] === '{' ? VARIABLE.exec(source.slice(at, at + 512)) : null
    const name = variable?.[1]
    if (variable && name !== undefined) {
      if (LITERALS.has(name)) text += name
      else {
        flush()
        parts.push({ kind: 'variable', key: name.toLowerCase(), fallback: variable[2] })
      }
      at += variable[0].length - 1
    } else if (wildcards && (char === '*' || char === '?')) {
      flush()
      parts.push({ kind: char === '*' ? 'any' : 'one' })
    } else text += char
  }
  flush()
  const fixed = parts.every(({ kind }) => kind !== 'variable')
  return { source, parts, runs: fixed ? runsOf(parts, () => undefined) : undefined }
}

/** Undefined when a variable has no value, or not exactly one: then the pattern fits nothing. */
function runsOf(parts: readonly Part[], context: ContextLookup): readonly Run[] | undefined {
  const runs: Run[] = []
  let text = ''
  let holes: Set<number> | undefined
  for (const part of parts) {
    if (part.kind === 'any') {
      runs.push({ text, holes })
      text = ''
      holes = undefined
    } else if (part.kind === 'one') {
      holes ??= new Set()
      holes.add(text.length)
      text += '?'
    } else if (part.kind === 'text') text += part.text
    else {
      const values = context(part.key)
      const value = values?.length === 1 ? values[0] : undefined
      const resolved = value ?? (values === undefined || values.length === 0 ? part.fallback : undefined)
      if (resolved === undefined) return undefined
      text += resolved
    }
  }
  runs.push({ text, holes })
  return runs
}

function fitsAt({ text: run, holes }: Run, text: string, at: number): boolean {
  if (!holes) return text.startsWith(run, at)
  for (let index = 0; index < run.length; index++) {
    if (!holes.has(index) && run[index] !== text[at + index]) return false
  }
  return true
}

function findFrom(run: Run, text: string, from: number, end: number): number {
  if (!run.holes) {
    const found = text.indexOf(run.text, from)
    return found !== -1 && found + run.text.length <= end ? found : -1
  }
  for (let at = from; at + run.text.length <= end; at++) if (fitsAt(run, text, at)) return at
  return -1
}

/**
 * Every run between stars is looked for once, from left to right, and never again: the first place where it fits is as
 * good as any later one. So there is no backtracking, however many stars there are.
 */
function fits(runs: readonly Run[], text: string): boolean {
  const [first] = runs
  const last = runs.at(-1)
  if (!first || !last) return false
  if (runs.length === 1) return first.text.length === text.length && fitsAt(first, text, 0)
  const end = text.length - last.text.length
  if (first.text.length > end || !fitsAt(first, text, 0) || !fitsAt(last, text, end)) return false
  let at = first.text.length
  for (let index = 1; index < runs.length - 1; index++) {
    const run = runs[index]
    if (!run || run.text === '') continue
    const found = findFrom(run, text, at, end)
    if (found === -1) return false
    at = found + run.text.length
  }
  return true
}

/** Compares letter by letter. */
export function matches(pattern: Pattern, text: string, context: ContextLookup): boolean {
  const runs = pattern.runs ?? runsOf(pattern.parts, context)
  return runs !== undefined && fits(runs, text)
}

/** The text that a pattern without wildcards stands for; undefined when a variable has no value. */
export function resolve(pattern: Pattern, context: ContextLookup): string | undefined {
  return (pattern.runs ?? runsOf(pattern.parts, context))?.[0]?.text
}
