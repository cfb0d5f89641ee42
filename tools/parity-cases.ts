/** Counts the cases of test/parity for the parity table: by operation, and by where their expectations come from. */
import { lambdaModel } from '#wire/models/lambda.ts'

import { allCases } from '../test/parity/all-cases.ts'
import { generatedCases } from '../test/parity/generated/generated-cases.ts'
import { rateCases } from '../test/parity/generated/rate-cases.ts'
import type { Source, SourceKind } from '../test/parity/parity-case.ts'
import { documentedErrors } from './documented-errors.ts'

export interface CaseCounts {
  readonly total: number
  readonly byKind: ReadonlyMap<SourceKind, number>
  /** What the unverified ones rest on, with their number. */
  readonly unverified: ReadonlyMap<string, number>
  /** Types of the errors that they end in. */
  readonly errors: ReadonlySet<string>
}

/** In the order in which the table names them: the surest first. */
export const SOURCE_KINDS: readonly SourceKind[] = [
  'recorded',
  'model',
  'documented',
  'observed in client',
  'unverified',
]

/** By `service.Operation`. `built` are the operations that the generated cases are made for. */
export function countCases(built: ReadonlySet<string>): ReadonlyMap<string, CaseCounts> {
  const operations = Object.keys(lambdaModel.operations).filter((name) => built.has(`lambda.${name}`))
  const cases = new Map<string, Counted[]>()
  const all = [
    ...allCases,
    ...generatedCases(lambdaModel, operations),
    ...rateCases(lambdaModel, operations, (operation) =>
      documentedErrors(operation).includes('TooManyRequestsException'),
    ),
  ]
  for (const item of all) {
    const { operation } = item
    if (!Object.hasOwn(lambdaModel.operations, operation)) throw new Error(`No operation '${operation}'`)
    const key = `lambda.${operation}`
    cases.set(key, [...(cases.get(key) ?? []), item])
  }
  return new Map([...cases].map(([key, list]) => [key, counted(list)]))
}

interface Counted {
  readonly source: Source
  readonly expect: { readonly errorType?: string }
}

function counted(cases: readonly Counted[]): CaseCounts {
  const byKind = new Map<SourceKind, number>()
  const unverified = new Map<string, number>()
  for (const { source } of cases) {
    byKind.set(source.kind, (byKind.get(source.kind) ?? 0) + 1)
    if (source.kind === 'unverified') unverified.set(source.of, (unverified.get(source.of) ?? 0) + 1)
  }
  const errors = new Set(cases.flatMap(({ expect }) => expect.errorType ?? []))
  return { total: cases.length, byKind, unverified, errors }
}

/** All counts as one. */
export function summed(counts: Iterable<CaseCounts>): Omit<CaseCounts, 'errors'> {
  const byKind = new Map<SourceKind, number>()
  const unverified = new Map<string, number>()
  let total = 0
  for (const item of counts) {
    total += item.total
    for (const [kind, number] of item.byKind) byKind.set(kind, (byKind.get(kind) ?? 0) + number)
    for (const [of, number] of item.unverified) unverified.set(of, (unverified.get(of) ?? 0) + number)
  }
  return { total, byKind, unverified }
}

/** `12 recorded, 3 model`. */
export const sourcesText = ({ byKind }: Pick<CaseCounts, 'byKind'>): string =>
  SOURCE_KINDS.flatMap((kind) => {
    const number = byKind.get(kind)
    return number === undefined ? [] : [`${number} ${kind}`]
  }).join(', ')
