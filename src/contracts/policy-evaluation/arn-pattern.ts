/** ARNs as the Arn* operators compare them: each of the six parts by itself. Pure. */
import {
  compilePattern,
  matches,
  type ContextLookup,
  type Pattern,
} from '#contracts/policy-evaluation/wildcard.ts'

/** The parts of an ARN; a single `*` stands for any ARN. */
export type ArnPattern = readonly Pattern[]

const PARTS = 6

/** Everything after the fifth colon is the sixth part; a colon inside of a variable is none. */
function split(text: string): readonly string[] {
  const parts: string[] = []
  let start = 0
  let depth = 0
  for (let at = 0; at < text.length && parts.length < PARTS - 1; at++) {
    if (text[at] === '{' && text[at - 1] === '$') depth++
    else if (text[at] === '}' && depth > 0) depth--
    else if (text[at] === ':' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}

/** Undefined when the text has not the form of an ARN. */
export function compileArnPattern(text: string, variables: boolean): ArnPattern | undefined {
  const compile = (part: string) => compilePattern(part, { wildcards: true, variables })
  if (text === '*') return [compile('*')]
  // A variable may stand for the whole ARN.
  if (variables && text.startsWith('${') && text.endsWith('}')) return [compile(text)]
  const parts = split(text)
  return parts.length === PARTS ? parts.map(compile) : undefined
}

export function arnMatches(pattern: ArnPattern, arn: string, context: ContextLookup): boolean {
  const [whole] = pattern
  if (pattern.length === 1 && whole) return arn.startsWith('arn:') && matches(whole, arn, context)
  const parts = split(arn)
  return (
    parts.length === PARTS &&
    parts.every((part, index) => {
      const wanted = pattern[index]
      return wanted !== undefined && matches(wanted, part, context)
    })
  )
}
