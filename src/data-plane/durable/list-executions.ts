/** One page of a function's executions. */
import type { FunctionId } from '#contracts/arn.ts'
import { functionArn, LATEST } from '#contracts/arn.ts'
import {
  durableKey,
  durableOldestKey,
  durableOldestPrefix,
  durablePrefix,
  type ExecutionStatus,
} from '#contracts/durable.ts'
import { invalidParameter, resourceNotFound } from '#contracts/errors.ts'
import type { Alias } from '#contracts/function.ts'
import { aliasKey, functionKey } from '#contracts/keys.ts'
import type { ExecutionHead } from '#data-plane/durable/execution.ts'
import type { Meta } from '#store/port.ts'

export interface ListRequest {
  readonly function: FunctionId
  readonly qualifier: string | undefined
  readonly name: string | undefined
  readonly statuses: readonly ExecutionStatus[] | undefined
  /** Milliseconds since the epoch; neither of the two is included. */
  readonly startedAfter: number | undefined
  readonly startedBefore: number | undefined
  readonly oldestFirst: boolean
  readonly marker: string | undefined
  readonly limit: number
}

const PAGE = 200
/** Executions that one request looks at; a page may come back short, or empty, with a marker to go on from. */
const MAX_SCANNED = 5000
const ID = /^[0-9a-f-]{36}$/

/** Throws ResourceNotFoundException for a function that is not there, InvalidParameterValueException for the filter. */
export async function listExecutions(
  meta: Meta,
  request: ListRequest,
): Promise<{ readonly heads: readonly ExecutionHead[]; readonly next: string | undefined }> {
  const { function: where, qualifier, oldestFirst, marker, limit } = request
  // As clients of AWS report it.
  if ((request.statuses?.length ?? 0) > 1) throw invalidParameter('Cannot filter by more than one status')
  if (!(await meta.get(functionKey(where)))) {
    throw resourceNotFound(`Function not found: ${functionArn(where, qualifier ?? LATEST)}`)
  }
  const version = await versionOf(meta, where, qualifier)
  const fits = (head: ExecutionHead) =>
    (version === undefined || head.version === version) &&
    (request.name === undefined || head.name === request.name) &&
    (request.statuses === undefined || request.statuses.includes(head.status)) &&
    (request.startedAfter === undefined || head.startedAt > request.startedAfter) &&
    (request.startedBefore === undefined || head.startedAt < request.startedBefore)

  const start = marker === undefined ? undefined : Buffer.from(marker, 'base64').toString('latin1')
  if (start !== undefined && !ID.test(start)) throw invalidParameter('Invalid Marker')
  const prefix = oldestFirst ? durableOldestPrefix(where) : durablePrefix(where)
  const keyOf = (id: string) => (oldestFirst ? durableOldestKey : durableKey)({ function: where, id })
  const heads: ExecutionHead[] = []
  let after = start === undefined ? '' : keyOf(start)
  for (let scanned = 0, last: ExecutionHead | undefined; ;) {
    const rows = await meta.list(prefix, after, PAGE)
    for (const row of rows) {
      after = row.key
      const id = row.key.slice(prefix.length)
      const document = oldestFirst ? (await meta.get(durableKey({ function: where, id })))?.doc : row.doc
      if (!document) continue
      const head = document as unknown as ExecutionHead
      // One more than fits has been found: there is a next page.
      if (heads.length === limit && last) return { heads, next: markerOf(last) }
      if (fits(head)) heads.push(head)
      last = head
      scanned += 1
    }
    if (rows.length < PAGE) return { heads, next: undefined }
    if (scanned >= MAX_SCANNED && last) return { heads, next: markerOf(last) }
  }
}

const markerOf = ({ id }: ExecutionHead) => Buffer.from(id, 'latin1').toString('base64')

/** Executions belong to versions: an alias stands for the one that it names now. */
async function versionOf(meta: Meta, where: FunctionId, qualifier: string | undefined) {
  if (qualifier === undefined || qualifier === LATEST || /^\d+$/.test(qualifier)) return qualifier
  const alias = await meta.get(aliasKey(where, qualifier))
  if (!alias) throw resourceNotFound(`Function not found: ${functionArn(where, qualifier)}`)
  return (alias.doc as unknown as Alias).version
}
