/** A new execution, and the answer to a name that is taken. */
import { createHash } from 'node:crypto'

import { MAX_ASYNC_PAYLOAD_BYTES, MAX_SYNC_PAYLOAD_BYTES } from '#contracts/limits.ts'
import type { ExecutionRef } from '#contracts/durable.ts'
import { timeOrderedId } from '#contracts/durable.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { arnOf, openDraft, payloadOf, type Draft, type ExecutionHead } from '#data-plane/durable/execution.ts'
import type { Random } from '#kernel/random.ts'

export interface Begin {
  readonly version: FunctionVersion
  readonly input: string | undefined
  /** Left out: a name is made up. */
  readonly name?: string
  readonly traceId?: string
  readonly tenantId?: string
  /** Somebody waits for the result, which may then be as large as an answer. */
  readonly isSynchronous: boolean
  readonly parent?: ExecutionHead['parent']
}

export const digestOf = (input: string | undefined) =>
  createHash('sha256')
    .update(input ?? '')
    .digest('hex')

/** A draft of an execution that is not stored yet and wants its first invocation. */
export function beginExecution(begin: Begin, now: number, random: Random): Draft {
  const { version, input, traceId, tenantId, parent } = begin
  const { durable, account, region, name } = version
  if (!durable) throw new Error(`The function ${name} is not durable`)
  const id = timeOrderedId(now, random.hex(19))
  const head: ExecutionHead = {
    function: { account, region, name },
    id,
    name: begin.name ?? random.uuid(),
    version: version.version,
    settings: durable,
    status: 'RUNNING',
    startedAt: now,
    ...(traceId !== undefined && { traceId }),
    ...(tenantId !== undefined && { tenantId }),
    ...(parent && { parent }),
    inputDigest: digestOf(input),
    maxResultBytes: begin.isSynchronous ? MAX_SYNC_PAYLOAD_BYTES : MAX_ASYNC_PAYLOAD_BYTES,
    sequence: 0,
    seenSequence: 0,
    invocationId: '',
    checkpoints: 0,
    wake: true,
    failures: 0,
    refusals: 0,
    operationCount: 0,
    eventCount: 0,
    storedBytes: 0,
    openInvokes: 0,
    dueAt: now,
  }
  const draft = openDraft({ head, operations: new Map() }, now)
  const root = {
    index: 0,
    id,
    type: 'EXECUTION',
    status: 'STARTED',
    startedAt: now,
    name: head.name,
    ...(input !== undefined && { input }),
  } as const
  draft.put(root)
  draft.event('ExecutionStarted', root, {
    Input: payloadOf(input),
    ExecutionTimeout: durable.executionTimeoutSeconds,
  })
  return draft
}

/**
 * The execution that already has the name, when the request asks for the very same one; throws
 * DurableExecutionAlreadyStartedException otherwise (developer guide, "Idempotency"; text as seen from AWS).
 */
export function sameExecution(existing: ExecutionHead, begin: Begin): ExecutionRef {
  const isSame =
    existing.version === begin.version.version &&
    existing.tenantId === begin.tenantId &&
    existing.inputDigest === digestOf(begin.input)
  if (isSame) {
    return { function: existing.function, id: existing.id }
  }
  throw new LambdaError(
    'DurableExecutionAlreadyStartedException',
    `Execution already started: ${arnOf(existing)}`,
    { status: 409 },
  )
}
