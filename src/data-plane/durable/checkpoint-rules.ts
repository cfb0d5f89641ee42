/**
 * What a function may checkpoint in the present state of its execution. Pure. Rules and texts as in the official
 * testing library for Python (1.4.0), which follows the service.
 */
import { parseFunctionReference } from '#contracts/arn.ts'
import {
  MAX_CHAINED_PAYLOAD_BYTES,
  MAX_ERROR_BYTES,
  MAX_EXECUTION_BYTES,
  MAX_OPERATIONS,
  type OperationAction,
  type OperationType,
  type OperationUpdate,
} from '#contracts/durable.ts'
import { invalidParameter } from '#contracts/errors.ts'
import type { Execution, StoredOperation } from '#data-plane/durable/execution.ts'

const ACTIONS: Readonly<Record<OperationType, readonly OperationAction[]>> = {
  STEP: ['START', 'FAIL', 'RETRY', 'SUCCEED'],
  CONTEXT: ['START', 'FAIL', 'SUCCEED'],
  WAIT: ['START', 'CANCEL'],
  CALLBACK: ['START'],
  CHAINED_INVOKE: ['START'],
  EXECUTION: ['SUCCEED', 'FAIL'],
}

const refuseIf = (broken: boolean, message: string) => {
  if (broken) throw invalidParameter(message)
}

/** Throws InvalidParameterValueException for the first update that is not allowed; then none of them is applied. */
export function assertCheckpoint(execution: Execution, updates: readonly OperationUpdate[]): void {
  const ends = updates.filter(({ Type }) => Type === 'EXECUTION')
  refuseIf(ends.length > 1, 'Cannot checkpoint multiple EXECUTION updates.')
  refuseIf(
    ends.length === 1 && updates.at(-1)?.Type !== 'EXECUTION',
    'EXECUTION checkpoint must be the last update.',
  )
  assertIds(execution, updates)
  /** What this very batch starts counts as its state for the updates that follow. */
  const started = new Set<string>()
  for (const update of updates) {
    const current = execution.operations.get(update.Id)
    if (update.Type !== 'EXECUTION') assertSame(update, current)
    assertSizes(execution, update)
    refuseIf(!ACTIONS[update.Type].includes(update.Action), 'Invalid action for the given operation type.')
    if (!started.has(update.Id)) assertTransition(execution, update, current)
    assertContent(update)
    if (update.Action === 'START') started.add(update.Id)
  }
  const added = updates.filter(({ Id, Type }) => Type !== 'EXECUTION' && !execution.operations.has(Id)).length
  const bytes = updates.reduce((sum, { Payload }) => sum + Buffer.byteLength(Payload ?? ''), 0)
  // AWS has such quotas; how it words them is not verified.
  refuseIf(
    execution.head.operationCount + added > MAX_OPERATIONS,
    `A durable execution can have at most ${MAX_OPERATIONS} operations.`,
  )
  refuseIf(
    execution.head.storedBytes + bytes > MAX_EXECUTION_BYTES,
    `A durable execution can store at most ${MAX_EXECUTION_BYTES} bytes.`,
  )
}

/** One operation at most once, apart from a STEP or CONTEXT that starts and ends; parents are contexts. */
function assertIds(execution: Execution, updates: readonly OperationUpdate[]) {
  const last = new Map<string, OperationUpdate>()
  const started = new Map<string, OperationType>()
  for (const update of updates) {
    const before = last.get(update.Id)
    const startsAndEnds =
      before?.Action === 'START' &&
      update.Action !== 'START' &&
      (before.Type === 'STEP' || before.Type === 'CONTEXT')
    refuseIf(
      before !== undefined && !startsAndEnds,
      'Cannot checkpoint multiple operations with the same ID.',
    )
    if (update.ParentId !== undefined) {
      const parent = started.get(update.ParentId) ?? execution.operations.get(update.ParentId)?.type
      refuseIf(parent !== 'CONTEXT', 'Invalid parent operation id.')
    }
    if (update.Action === 'START') started.set(update.Id, update.Type)
    last.set(update.Id, update)
  }
}

function assertSame(update: OperationUpdate, current: StoredOperation | undefined) {
  if (!current) return
  refuseIf(update.Type !== current.type, 'Inconsistent operation type.')
  refuseIf(
    update.SubType !== undefined && update.SubType !== current.subType,
    'Inconsistent operation subtype.',
  )
  refuseIf(update.Name !== undefined && update.Name !== current.name, 'Inconsistent operation name.')
  refuseIf(
    update.ParentId !== undefined && update.ParentId !== current.parentId,
    'Inconsistent parent operation id.',
  )
}

function assertSizes({ head }: Execution, update: OperationUpdate) {
  refuseIf(
    update.Error !== undefined && Buffer.byteLength(JSON.stringify(update.Error)) > MAX_ERROR_BYTES,
    `Error object size must be less than ${MAX_ERROR_BYTES} bytes.`,
  )
  const bytes = Buffer.byteLength(update.Payload ?? '')
  refuseIf(
    update.Type === 'CHAINED_INVOKE' && bytes > MAX_CHAINED_PAYLOAD_BYTES,
    `CHAINED_INVOKE input payload size must be less than or equal to ${MAX_CHAINED_PAYLOAD_BYTES} bytes.`,
  )
  refuseIf(
    update.Type === 'EXECUTION' && bytes > head.maxResultBytes,
    `Execution output payload size must be less than or equal to ${head.maxResultBytes} bytes.`,
  )
}

function assertTransition(
  { head }: Execution,
  update: OperationUpdate,
  current: StoredOperation | undefined,
) {
  const { Type, Action } = update
  const status = current?.status
  if (Type === 'STEP' && current) {
    refuseIf(Action === 'START' && status !== 'READY', 'Invalid current STEP state to start.')
    const open = status === 'STARTED' || status === 'READY'
    refuseIf(!open && Action === 'RETRY', 'Invalid current STEP state to re-attempt.')
    refuseIf(!open && Action !== 'START', 'Invalid current STEP state to close.')
  }
  if (Type === 'CONTEXT' && current) {
    refuseIf(Action === 'START', 'Cannot start a CONTEXT that already exist.')
    refuseIf(status !== 'STARTED', 'Invalid current CONTEXT state to close.')
  }
  if (Type === 'WAIT') {
    refuseIf(Action === 'START' && current !== undefined, 'Cannot start a WAIT that already exist.')
    refuseIf(
      Action === 'CANCEL' && status !== 'STARTED',
      'Cannot cancel a WAIT that does not exist or has already completed.',
    )
  }
  if (Type === 'CALLBACK') refuseIf(current !== undefined, 'Cannot start a CALLBACK that already exist.')
  if (Type === 'CHAINED_INVOKE') {
    refuseIf(current !== undefined, 'Cannot start a CHAINED_INVOKE operation that already exists.')
    const name = update.ChainedInvokeOptions?.FunctionName
    if (name === undefined) {
      throw invalidParameter('Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.')
    }
    const target = parseFunctionReference(name)
    if (!target) throw invalidParameter(`Invalid function ARN '${name}'`)
    refuseIf(
      target.account !== undefined && target.account !== head.function.account,
      'Cannot start a CHAINED_INVOKE on a function in another account.',
    )
    refuseIf(
      target.region !== undefined && target.region !== head.function.region,
      'Cannot start a CHAINED_INVOKE on a function in another region.',
    )
  }
}

function assertContent({ Type, Action, Payload, Error: error, StepOptions, WaitOptions }: OperationUpdate) {
  refuseIf(Action === 'FAIL' && Payload !== undefined, 'Cannot provide a Payload for FAIL action.')
  refuseIf(Action === 'SUCCEED' && error !== undefined, 'Cannot provide an Error for SUCCEED action.')
  if (Action === 'RETRY') {
    refuseIf(StepOptions === undefined, 'Invalid StepOptions for the given action.')
    refuseIf(
      Payload !== undefined && error !== undefined,
      'Cannot provide both error and payload to RETRY a STEP.',
    )
  }
  // Text unverified.
  refuseIf(
    Type === 'WAIT' && Action === 'START' && WaitOptions?.WaitSeconds === undefined,
    'Invalid WaitOptions for the given action.',
  )
}
