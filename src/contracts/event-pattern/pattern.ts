/** An event pattern, parsed: what a record must look like to pass. Source: EventBridge's guide, "Comparison operators". */
import type { AddressRange } from '#contracts/policy-evaluation/ip-range.ts'

/** One condition on the value of a field. */
export type Test =
  | { readonly kind: 'equals'; readonly value: string | number | boolean | null }
  | { readonly kind: 'equals-ignore-case'; readonly text: string }
  | { readonly kind: 'prefix' | 'suffix'; readonly text: string; readonly ignoreCase: boolean }
  | { readonly kind: 'wildcard'; readonly parts: readonly string[] }
  | { readonly kind: 'numeric'; readonly bounds: readonly NumericBound[] }
  | { readonly kind: 'cidr'; readonly range: AddressRange }
  | { readonly kind: 'exists'; readonly exists: boolean }
  /** The field is there, and none of these holds. */
  | { readonly kind: 'anything-but'; readonly tests: readonly Test[] }

export interface NumericBound {
  readonly operator: '=' | '<' | '<=' | '>' | '>='
  readonly value: number
}

export type Field =
  /** One of the tests must hold. */
  | { readonly name: string; readonly tests: readonly Test[] }
  | { readonly name: string; readonly nested: EventPattern }

export interface EventPattern {
  /** All of these must hold. No name has a dot: `a.b` is `b` within `a`, for AWS joins names with dots. */
  readonly fields: readonly Field[]
  /** One of each of these must hold as well (`$or`). */
  readonly alternatives: readonly (readonly EventPattern[])[]
}
