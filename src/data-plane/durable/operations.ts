/** The API's nine operations on durable executions. */
import { functionArn, mergeQualifiers, parseFunctionReference } from '#contracts/arn.ts'
import {
  DEFAULT_PAGE_ITEMS,
  parseDurableExecutionArn,
  type ErrorObject,
  type ExecutionRef,
  type ExecutionStatus,
  type OperationUpdate,
} from '#contracts/durable.ts'
import { invalidParameter, validationFailed } from '#contracts/errors.ts'
import { applyCheckpoint } from '#data-plane/durable/apply-checkpoint.ts'
import { CallbackClosed } from '#data-plane/durable/callback-closed.ts'
import { callbackIdOf, readCallbackId } from '#data-plane/durable/callback-id.ts'
import { assertCheckpoint } from '#data-plane/durable/checkpoint-rules.ts'
import type { Engine } from '#data-plane/durable/create-engine.ts'
import {
  arnOf,
  changedAfter,
  close,
  type Execution,
  type ExecutionHead,
} from '#data-plane/durable/execution.ts'
import { listExecutions, type ListRequest } from '#data-plane/durable/list-executions.ts'
import { answerCallback, heartbeat, passTime } from '#data-plane/durable/progress.ts'
import { NoSuchExecution } from '#data-plane/durable/sessions.ts'
import {
  asDate,
  eventView,
  indexOfMarker,
  markerOf,
  operationView,
  pageOf,
  tokenOf,
} from '#data-plane/durable/wire-views.ts'
import type { Random } from '#kernel/random.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandlers, RequestContext } from '#wire/service.ts'

interface OfExecution {
  readonly DurableExecutionArn: string
}
interface Paged {
  readonly Marker?: string
  readonly MaxItems?: number
  readonly ReverseOrder?: boolean
}

/** As the official SDKs expect it. */
const invalidToken = () => invalidParameter('Invalid checkpoint token')
const invalidMarker = () => invalidParameter('Invalid Marker')

/** What `work` gives; `refusal` instead of the error for an execution that does not exist. */
async function whenKnown<Result>(work: Promise<Result>, refusal: () => Error): Promise<Result> {
  try {
    return await work
  } catch (error) {
    throw error instanceof NoSuchExecution ? refusal() : error
  }
}

/** An execution of another account or region is one that this caller can't see. */
function refOf({ DurableExecutionArn: arn }: OfExecution, { account, region }: RequestContext): ExecutionRef {
  const ref = parseDurableExecutionArn(arn)
  if (!ref) throw validationFailed(`'${arn}' is not the ARN of a durable execution`)
  if (ref.function.account !== account || ref.function.region !== region) throw new NoSuchExecution()
  return ref
}

const withoutUndefined = (doc: object) =>
  Object.fromEntries(Object.entries(doc).filter(([, value]) => value !== undefined))

const summary = (head: ExecutionHead) =>
  withoutUndefined({
    DurableExecutionArn: arnOf(head),
    DurableExecutionName: head.name,
    FunctionArn: functionArn(head.function, head.version),
    Status: head.status,
    StartTimestamp: asDate(head.startedAt),
    EndTimestamp: head.endedAt === undefined ? undefined : asDate(head.endedAt),
    KMSKeyArn: head.settings.kmsKeyArn,
  })

const callbackOf = (callbackId: string, { account, region }: RequestContext) => {
  const read = readCallbackId(callbackId)
  // Text as clients of AWS report it.
  if (!read) throw invalidParameter('Invalid callback id')
  const { ref, operationId } = read
  if (ref.function.account !== account || ref.function.region !== region) throw new CallbackClosed()
  return { ref, operationId, callbackId }
}

export function createDurableOperations(options: {
  readonly engine: Engine
  readonly meta: Meta
  readonly random: Random
}): OperationHandlers {
  const { engine, meta, random } = options
  const { sessions, store } = engine

  const checkpoint = async (
    ref: ExecutionRef,
    input: {
      readonly CheckpointToken: string
      readonly Updates?: readonly OperationUpdate[]
      readonly ClientToken?: string
    },
  ) => {
    const { CheckpointToken: token, Updates: updates = [], ClientToken: clientToken } = input
    let plain: readonly string[] = []
    const answerOf = (
      { head, operations }: Execution,
      after: number,
      through: number,
      next: string | undefined,
    ) => ({
      ...(head.status === 'RUNNING' && next !== undefined && { CheckpointToken: next }),
      NewExecutionState: {
        Operations: changedAfter(operations, after)
          .filter(({ touched, type }) => touched <= through && type !== 'EXECUTION')
          .map((operation) => operationView(operation, asDate)),
      },
    })
    let replay: ExecutionHead['lastCheckpoint']
    let after = 0
    const answer = await sessions.step(
      ref,
      async (draft, before) => {
        const { head } = draft
        const last = head.lastCheckpoint
        replay = undefined
        plain = []
        if (last && clientToken !== undefined && last.clientToken === clientToken && last.token === token) {
          replay = last
          return { write: false }
        }
        const isCurrent = head.status === 'RUNNING' && head.invocationId !== '' && tokenOf(before) === token
        if (!isCurrent) throw invalidToken()
        assertCheckpoint(before, updates)
        const { targets, children } = await engine.targets(before, updates)
        after = head.seenSequence
        applyCheckpoint(draft, updates, {
          targets,
          callbackId: (operationId) => callbackIdOf(ref, operationId, random.hex(16)),
        })
        if (head.status === 'RUNNING') passTime(draft)
        head.checkpoints += 1
        head.seenSequence = head.sequence
        if (clientToken === undefined) delete head.lastCheckpoint
        else {
          const answered = tokenOf(draft)
          head.lastCheckpoint = { clientToken, token, answer: answered, after, through: head.sequence }
        }
        plain = [...targets].filter(([, { kind }]) => kind === 'plain').map(([id]) => id)
        return { write: true, others: children }
      },
      (stored) => {
        for (const operationId of plain) engine.startPlain(stored, operationId)
        return replay
          ? answerOf(stored, replay.after, replay.through, replay.answer)
          : answerOf(stored, after, stored.head.sequence, tokenOf(stored))
      },
    )
    return answer
  }

  const answer = async (
    callbackId: string,
    context: RequestContext,
    change: { readonly result?: string } | { readonly error: ErrorObject },
  ) => {
    const callback = callbackOf(callbackId, context)
    await stepOfCallback(callback, (draft) => answerCallback(draft, callback, change))
    return {}
  }

  /** Unknown executions are closed callbacks. What has timed out by now is so before the answer counts. */
  const stepOfCallback = async (
    { ref }: ReturnType<typeof callbackOf>,
    change: (draft: Parameters<typeof passTime>[0]) => void,
  ) => {
    const step = sessions.step(
      ref,
      (draft) => {
        if (draft.head.status === 'RUNNING') passTime(draft)
        change(draft)
        return { write: draft.changed.size > 0 }
      },
      () => {},
    )
    await whenKnown(step, () => new CallbackClosed())
  }

  return {
    async CheckpointDurableExecution(
      input: OfExecution & Parameters<typeof checkpoint>[1],
      context: RequestContext,
    ) {
      // An unknown execution is answered as a token that is not valid (as clients of AWS report it).
      return whenKnown(checkpoint(refOf(input, context), input), invalidToken)
    },
    async GetDurableExecution(
      input: OfExecution & { readonly IncludeExecutionData?: boolean },
      context: RequestContext,
    ) {
      const found = await store.summary(refOf(input, context))
      if (!found) throw new NoSuchExecution()
      const { head } = found
      const { input: payload, result, error } = found.root
      // Data is included unless it is refused (API reference of the history; of this operation unverified).
      const withData = input.IncludeExecutionData !== false
      return {
        ...summary(head),
        ...(withData && withoutUndefined({ InputPayload: payload, Result: result })),
        ...(error !== undefined && { Error: withData ? error : {} }),
        Version: head.version,
        ...(head.traceId !== undefined && { TraceHeader: { XAmznTraceId: head.traceId } }),
        ExecutionDataIncluded: withData,
        DurableConfig: {
          ...(head.settings.kmsKeyArn !== undefined && { KMSKeyArn: head.settings.kmsKeyArn }),
          ExecutionTimeout: head.settings.executionTimeoutSeconds,
          RetentionPeriodInDays: head.settings.retentionDays,
        },
      }
    },
    async GetDurableExecutionState(
      input: OfExecution & Paged & { readonly CheckpointToken: string },
      context: RequestContext,
    ) {
      const ref = refOf(input, context)
      const start = input.Marker ? indexOfMarker(input.Marker) : 0
      if (start === undefined) throw invalidMarker()
      const page = sessions.step(
        ref,
        (_draft, before) => {
          const { status, invocationId } = before.head
          if (status !== 'RUNNING' || invocationId === '' || tokenOf(before) !== input.CheckpointToken) {
            throw invalidToken()
          }
          return { write: false }
        },
        (execution) => {
          const { page, next } = pageOf(execution, start, input.MaxItems || DEFAULT_PAGE_ITEMS)
          return {
            Operations: page.map((operation) => operationView(operation, asDate)),
            NextMarker: markerOf(next),
          }
        },
      )
      return whenKnown(page, invalidToken)
    },
    async GetDurableExecutionHistory(
      input: OfExecution & Paged & { readonly IncludeExecutionData?: boolean },
      context: RequestContext,
    ) {
      const ref = refOf(input, context)
      const found = await store.head(ref)
      if (!found) throw new NoSuchExecution()
      const limit = input.MaxItems || DEFAULT_PAGE_ITEMS
      const { eventCount } = found.head
      const withData = input.IncludeExecutionData !== false
      const marker = input.Marker ? indexOfMarker(input.Marker) : undefined
      if (input.Marker && marker === undefined) throw invalidMarker()
      if (input.ReverseOrder) {
        const last = marker ?? eventCount
        const first = Math.max(0, last - limit)
        const events = last > first ? await store.events(found.head, first, last - first) : []
        return {
          Events: events.toReversed().map((event) => eventView(event, withData)),
          ...(first > 0 && { NextMarker: markerOf(first) }),
        }
      }
      const after = marker ?? 0
      const events = await store.events(found.head, after, limit)
      const end = events.at(-1)?.id ?? after
      return {
        Events: events.map((event) => eventView(event, withData)),
        ...(end < eventCount && events.length > 0 && { NextMarker: markerOf(end) }),
      }
    },
    async ListDurableExecutionsByFunction(
      input: Paged & {
        readonly FunctionName: string
        readonly Qualifier?: string
        readonly DurableExecutionName?: string
        readonly Statuses?: readonly ExecutionStatus[]
        readonly StartedAfter?: Date
        readonly StartedBefore?: Date
      },
      context: RequestContext,
    ) {
      const reference = parseFunctionReference(input.FunctionName)
      if (!reference) throw validationFailed(`'${input.FunctionName}' is not the name of a function`)
      const { account, region } = context
      const request: ListRequest = {
        function: { account, region, name: reference.name },
        qualifier: mergeQualifiers(reference.qualifier, input.Qualifier || undefined),
        name: input.DurableExecutionName,
        statuses: input.Statuses,
        startedAfter: input.StartedAfter?.getTime(),
        startedBefore: input.StartedBefore?.getTime(),
        oldestFirst: input.ReverseOrder ?? false,
        marker: input.Marker || undefined,
        limit: input.MaxItems || DEFAULT_PAGE_ITEMS,
      }
      const { heads, next } = await listExecutions(meta, request)
      return { DurableExecutions: heads.map(summary), ...(next !== undefined && { NextMarker: next }) }
    },
    async StopDurableExecution(
      input: OfExecution & { readonly Error?: ErrorObject },
      context: RequestContext,
    ) {
      const ref = refOf(input, context)
      return sessions.step(
        ref,
        (draft) => {
          close(draft, 'STOPPED', { error: input.Error ?? {} })
          return { write: draft.changed.size > 0 }
        },
        ({ head }) => ({ StopTimestamp: asDate(head.endedAt ?? head.startedAt) }),
      )
    },
    SendDurableExecutionCallbackSuccess: (
      input: { readonly CallbackId: string; readonly Result?: Uint8Array },
      context: RequestContext,
    ) => {
      const result = input.Result?.byteLength ? { result: Buffer.from(input.Result).toString('utf8') } : {}
      return answer(input.CallbackId, context, result)
    },
    SendDurableExecutionCallbackFailure: (
      input: { readonly CallbackId: string; readonly Error?: ErrorObject },
      context: RequestContext,
    ) => answer(input.CallbackId, context, { error: input.Error ?? {} }),
    async SendDurableExecutionCallbackHeartbeat(
      input: { readonly CallbackId: string },
      context: RequestContext,
    ) {
      const callback = callbackOf(input.CallbackId, context)
      await stepOfCallback(callback, (draft) => heartbeat(draft, callback))
      return {}
    },
  }
}
