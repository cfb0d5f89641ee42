/** Reads filter policies of subscriptions, and refuses what SNS refuses in its words (recorded from AWS). Pure. */
import { SNS } from '#contracts/event-pattern/dialect.ts'
import { PatternError } from '#contracts/event-pattern/json-tokens.ts'
import { readPattern } from '#contracts/event-pattern/parse-pattern.ts'
import type { EventPattern } from '#contracts/event-pattern/pattern.ts'

import { withoutSource } from '../json-problem.ts'

export type FilterScope = 'MessageAttributes' | 'MessageBody'

export type FilterResult =
  | { readonly pattern: EventPattern }
  /** What is wrong, without SNS's words about the parameter. */
  | { readonly problem: string }

/** Bounds from SNS's guide, "Filter policy constraints". */
const MAX_KEYS = 5
const MAX_COMBINATIONS = 150

/** `MessageAttributes` refuses nested policies. */
export function parseFilterPolicy(text: string, scope: FilterScope): FilterResult {
  const json = parsed(text)
  const refuse = (problem: string) => ({ problem: `FilterPolicy: ${problem}` })
  try {
    const pattern = readPattern(text, SNS)
    const { keys, combinations, isNested } = measure(json)
    if (keys > MAX_KEYS) return refuse(`Filter policy can not have more than ${MAX_KEYS} keys`)
    if (combinations > MAX_COMBINATIONS) return refuse('Filter policy is too complex')
    if (isNested && scope === 'MessageAttributes') {
      return { problem: 'Filter policy scope MessageAttributes does not support nested filter policy' }
    }
    return { pattern }
  } catch (error) {
    if (!(error instanceof PatternError)) throw error
    const message = withoutSource(error.message)
    // The whole text is read as JSON before anything of it is looked at.
    return refuse(json === undefined ? `failed to parse JSON. ${message}` : message)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

interface Measured {
  readonly keys: number
  /** Product of the numbers of values, each times its depth; alternatives add up (SNS's guide has the formula). */
  readonly combinations: number
  readonly isNested: boolean
}

/** `json` has been read as a pattern already. */
function measure(json: unknown, depth = 1, before = 1): Measured {
  const entries = Object.entries(json as Readonly<Record<string, unknown>>)
  let combinations = before
  let isNested = depth > 1
  for (const [name, value] of entries) {
    if (Array.isArray(value) && name === '$or' && value.length > 1 && value.every(isObject)) {
      const branches = value.map((branch) => measure(branch, depth, combinations))
      combinations = branches.reduce((sum, branch) => sum + branch.combinations, 0)
      isNested ||= branches.some((branch) => branch.isNested)
    } else if (Array.isArray(value)) combinations *= value.length * depth
    else {
      combinations = measure(value, depth + 1, combinations).combinations
      isNested = true
    }
  }
  return { keys: entries.length, combinations, isNested }
}

const isObject = (value: unknown) => value !== null && typeof value === 'object' && !Array.isArray(value)
