/** The language of event patterns as one value: compiled once, asked often. Used by EventBridge, Lambda's filters and topics. */
import { matchesPattern } from './match-pattern.ts'
import { readPattern } from './parse-pattern.ts'
import type { EventPattern, Test } from './pattern.ts'

export interface CompiledPattern {
  /** `event` is JSON, parsed. */
  matches(event: unknown): boolean
  /** Paths whose value must be one of these texts, whatever else the pattern asks for. */
  readonly required: readonly RequiredTexts[]
}

export interface RequiredTexts {
  readonly path: readonly string[]
  readonly texts: readonly string[]
}

/** Throws a `PatternError`; its message is what EventBridge says after "Event pattern is not valid. Reason: ". */
export function compilePattern(text: string): CompiledPattern {
  const pattern = readPattern(text)
  return { matches: (event) => matchesPattern(pattern, event), required: requiredTexts(pattern, []) }
}

function requiredTexts({ fields }: EventPattern, above: readonly string[]): readonly RequiredTexts[] {
  return fields.flatMap((field) => {
    const path = [...above, field.name]
    if ('nested' in field) return requiredTexts(field.nested, path)
    const texts = field.tests.flatMap((test) => textOf(test) ?? [])
    return texts.length === field.tests.length ? [{ path, texts }] : []
  })
}

const textOf = (test: Test): string | undefined =>
  test.kind === 'equals' && typeof test.value === 'string' ? test.value : undefined
