/** An event as it lies in the queue log: a small head that changes with every attempt, and the payload that never does. */
import type { AsyncEvent } from '#contracts/event.ts'

interface Head {
  readonly v: 1
  readonly account: string
  readonly region: string
  readonly name: string
  readonly qualifier?: string
  readonly requestId: string
  readonly clientContext?: string
  readonly traceId?: string
  readonly tenantId?: string
  readonly acceptedAt: number
  readonly functionErrors: number
  readonly attempts: number
  readonly homeCell?: string
  readonly lastRefusal?: { readonly statusCode: number; readonly message: string }
}

export function encodeHead(event: AsyncEvent): string {
  const { target, qualifier, requestId, clientContext, traceId, tenantId } = event
  const { acceptedAt, functionErrors, attempts, lastRefusal, homeCell } = event
  const { account, region, name } = target
  const head: Head = {
    v: 1,
    account,
    region,
    name,
    qualifier,
    requestId,
    clientContext,
    traceId,
    tenantId,
    acceptedAt,
    functionErrors,
    attempts,
    lastRefusal,
    homeCell,
  }
  return JSON.stringify(head)
}

/** Throws when the head is of another version or no head at all. */
export function decodeEvent(head: string, payload: Uint8Array): AsyncEvent {
  const { v, account, region, name, ...rest } = JSON.parse(head) as Head
  if (v !== 1) throw new Error(`An event of version ${String(v)} cannot be read`)
  return { ...rest, qualifier: rest.qualifier, target: { account, region, name }, payload }
}
