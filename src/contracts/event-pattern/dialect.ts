/** What differs between the services that speak the language of event patterns. */

export type Operator =
  | 'exactly'
  | 'prefix'
  | 'suffix'
  | 'equals-ignore-case'
  | 'wildcard'
  | 'numeric'
  | 'cidr'
  | 'exists'
  | 'anything-but'

export interface Dialect {
  readonly operators: ReadonlySet<string>
  /** prefix and suffix take equals-ignore-case; anything-but takes operators other than prefix, and lists for them. */
  readonly nestsOperators: boolean
}

const OPERATORS: readonly Operator[] = [
  'prefix',
  'suffix',
  'equals-ignore-case',
  'numeric',
  'cidr',
  'exists',
  'anything-but',
]

export const EVENTBRIDGE: Dialect = {
  operators: new Set<Operator>([...OPERATORS, 'exactly', 'wildcard']),
  nestsOperators: true,
}
/** Filter policies of topics: an older state of the language (SNS's guide; what it refuses is recorded from AWS in 2024). */
export const SNS: Dialect = { operators: new Set<Operator>(OPERATORS), nestsOperators: false }
