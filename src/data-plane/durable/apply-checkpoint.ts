/** Applies the updates of a checkpoint to a draft. Pure: names, ids and targets come from the caller. */
import type { ErrorObject, ExecutionRef, OperationUpdate } from '#contracts/durable.ts'
import { close, payloadOf, type Draft, type StoredOperation } from '#data-plane/durable/execution.ts'

/** What a chained invoke is to run, found out before the checkpoint is applied. */
export type InvokeTarget =
  | {
      readonly kind: 'durable'
      readonly version: string
      readonly child: ExecutionRef
      readonly childArn: string
    }
  | { readonly kind: 'plain'; readonly version: string }
  | { readonly kind: 'refused'; readonly error: ErrorObject }

type Changed = Omit<StoredOperation, 'touched'>

/** The updates must have passed `assertCheckpoint`. */
export function applyCheckpoint(
  draft: Draft,
  updates: readonly OperationUpdate[],
  given: {
    readonly targets: ReadonlyMap<string, InvokeTarget>
    /** The id under which the outside answers a callback of this operation. */
    readonly callbackId: (operationId: string) => string
  },
): void {
  for (const update of updates) {
    if (update.Type === 'EXECUTION') {
      const { Payload: result, Error: error } = update
      if (update.Action === 'SUCCEED') close(draft, 'SUCCEEDED', result === undefined ? {} : { result })
      else close(draft, 'FAILED', error === undefined ? {} : { error })
      continue
    }
    const current = draft.operations.get(update.Id)
    const base: Changed = current ?? {
      index: draft.head.operationCount,
      id: update.Id,
      type: update.Type,
      status: 'STARTED',
      startedAt: draft.now,
      ...(update.ParentId !== undefined && { parentId: update.ParentId }),
      ...(update.Name !== undefined && { name: update.Name }),
      ...(update.SubType !== undefined && { subType: update.SubType }),
    }
    switch (update.Type) {
      case 'STEP':
        applyStep(draft, base, update)
        break
      case 'CONTEXT':
        applyContext(draft, base, update)
        break
      case 'WAIT':
        applyWait(draft, base, update)
        break
      case 'CALLBACK':
        applyCallback(draft, base, update, given.callbackId(update.Id))
        break
      case 'CHAINED_INVOKE':
        applyInvoke(draft, base, update, given.targets.get(update.Id))
        break
    }
  }
}

/** An operation without what an earlier attempt left behind. */
function without(operation: Changed, ...names: readonly (keyof StoredOperation)[]): Changed {
  const left: Partial<Record<keyof StoredOperation, unknown>> = { ...operation }
  for (const name of names) delete left[name]
  return left as Changed
}

const outcomeOf = ({ Payload, Error: error }: OperationUpdate) => ({
  ...(Payload !== undefined && { result: Payload }),
  ...(error !== undefined && { error }),
})

function applyStep(draft: Draft, base: Changed, update: OperationUpdate) {
  const fresh = without(base, 'result', 'error', 'nextAttemptAt')
  const attempt = (base.attempt ?? 0) + (update.Action === 'START' ? 0 : 1)
  const delaySeconds = update.StepOptions?.NextAttemptDelaySeconds ?? 0
  if (update.Action === 'START') {
    draft.put({ ...fresh, status: 'STARTED', attempt })
    draft.event('StepStarted', base, {})
    return
  }
  const retry = update.Action === 'RETRY'
  const failed = update.Action === 'FAIL' || (retry && update.Error !== undefined)
  draft.put({
    ...fresh,
    ...outcomeOf(update),
    attempt,
    ...(retry
      ? { status: 'PENDING' as const, nextAttemptAt: draft.now + delaySeconds * 1000 }
      : { status: failed ? ('FAILED' as const) : ('SUCCEEDED' as const), endedAt: draft.now }),
  })
  const RetryDetails = { CurrentAttempt: attempt, ...(retry && { NextAttemptDelaySeconds: delaySeconds }) }
  if (failed) draft.event('StepFailed', base, { Error: { Payload: update.Error ?? {} }, RetryDetails })
  else draft.event('StepSucceeded', base, { Result: payloadOf(update.Payload), RetryDetails })
}

function applyContext(draft: Draft, base: Changed, update: OperationUpdate) {
  if (update.Action === 'START') {
    draft.put({ ...base, status: 'STARTED' })
    draft.event('ContextStarted', base, {})
    return
  }
  const replayChildren = update.ContextOptions?.ReplayChildren
  draft.put({
    ...base,
    ...outcomeOf(update),
    ...(replayChildren !== undefined && { replayChildren }),
    status: update.Action === 'FAIL' ? 'FAILED' : 'SUCCEEDED',
    endedAt: draft.now,
  })
  if (update.Action === 'FAIL') draft.event('ContextFailed', base, { Error: { Payload: update.Error ?? {} } })
  else draft.event('ContextSucceeded', base, { Result: payloadOf(update.Payload) })
}

function applyWait(draft: Draft, base: Changed, update: OperationUpdate) {
  if (update.Action === 'CANCEL') {
    draft.put({ ...base, status: 'CANCELLED', endedAt: draft.now })
    draft.event('WaitCancelled', base, update.Error ? { Error: { Payload: update.Error } } : {})
    return
  }
  const waitSeconds = update.WaitOptions?.WaitSeconds ?? 0
  const scheduledEndAt = draft.now + waitSeconds * 1000
  draft.put({ ...base, waitSeconds, scheduledEndAt })
  draft.event('WaitStarted', base, { Duration: waitSeconds, ScheduledEndTimestamp: scheduledEndAt })
}

function applyCallback(draft: Draft, base: Changed, update: OperationUpdate, callbackId: string) {
  // 0 means none, as leaving it out does (unverified).
  const timeoutSeconds = update.CallbackOptions?.TimeoutSeconds || undefined
  const heartbeatSeconds = update.CallbackOptions?.HeartbeatTimeoutSeconds || undefined
  draft.put({
    ...base,
    callbackId,
    ...(timeoutSeconds !== undefined && { timeoutSeconds, timeoutAt: draft.now + timeoutSeconds * 1000 }),
    ...(heartbeatSeconds !== undefined && {
      heartbeatSeconds,
      heartbeatAt: draft.now + heartbeatSeconds * 1000,
    }),
  })
  draft.event('CallbackStarted', base, {
    CallbackId: callbackId,
    ...(timeoutSeconds !== undefined && { Timeout: timeoutSeconds }),
    ...(heartbeatSeconds !== undefined && { HeartbeatTimeout: heartbeatSeconds }),
  })
}

function applyInvoke(draft: Draft, base: Changed, update: OperationUpdate, target: InvokeTarget | undefined) {
  if (!target) throw new Error(`The target of the chained invoke ${update.Id} was not looked up`)
  const { FunctionName = '', TenantId } = update.ChainedInvokeOptions ?? {}
  const named = { ...base, functionName: FunctionName, ...(TenantId !== undefined && { tenantId: TenantId }) }
  const details = { FunctionName, ...(TenantId !== undefined && { TenantId }) }
  if (target.kind === 'refused') {
    // The service keeps no input of a target that it could not find (testing library).
    draft.event('ChainedInvokeStarted', base, details)
    draft.put({ ...named, status: 'FAILED', endedAt: draft.now, error: target.error })
    draft.event('ChainedInvokeFailed', base, { Error: { Payload: target.error } })
    return
  }
  draft.head.openInvokes += 1
  draft.put({
    ...named,
    ...(update.Payload !== undefined && { input: update.Payload }),
    ...(target.kind === 'durable' && { child: target.child }),
  })
  draft.event('ChainedInvokeStarted', base, {
    ...details,
    Input: payloadOf(update.Payload),
    ExecutedVersion: target.version,
    ...(target.kind === 'durable' && { DurableExecutionArn: target.childArn }),
  })
}
