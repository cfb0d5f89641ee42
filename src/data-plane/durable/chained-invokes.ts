/** Chained invokes: what they run, and what their end means for the operation. */
import { parseFunctionReference, type FunctionId } from '#contracts/arn.ts'
import { MAX_CHAINED_PAYLOAD_BYTES, type ErrorObject, type OperationUpdate } from '#contracts/durable.ts'
import { LambdaError } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { refusalByTenant } from '#contracts/tenant.ts'
import type { InvocationResult } from '#contracts/invocation.ts'
import type { InvokeTarget } from '#data-plane/durable/apply-checkpoint.ts'
import { beginExecution } from '#data-plane/durable/begin-execution.ts'
import {
  arnOf,
  refOf,
  type Draft,
  type Execution,
  type ExecutionHead,
  type StoredOperation,
} from '#data-plane/durable/execution.ts'
import { runtimeErrorOf } from '#data-plane/durable/invocation-outcome.ts'
import type { InvokeOutcome } from '#data-plane/durable/progress.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'

/** The version that a name and qualifier stand for; LambdaError when there is none. */
export type ResolveVersion = (
  id: FunctionId,
  qualifier: string | undefined,
) => FunctionVersion | Promise<FunctionVersion>

/** Text recorded from AWS. */
export const unqualified = () =>
  new LambdaError(
    'InvalidParameterValueException',
    'You cannot invoke a durable function using an unqualified ARN.',
    { status: 400 },
  )

export const errorOf = (error: LambdaError): ErrorObject => ({
  ErrorMessage: error.message,
  ErrorType: error.code,
})

/** A refusal that may pass: throttled, being created or updated, or our own trouble. */
export const mayPass = (error: unknown) =>
  !(error instanceof LambdaError) || error.status === 429 || error.status === 409 || error.fault !== 'client'

/** What the chained invokes of a checkpoint run, and drafts of the executions that they start. */
export async function lookUpTargets(
  parent: Execution,
  updates: readonly OperationUpdate[],
  given: { readonly resolve: ResolveVersion; readonly clock: Pick<Clock, 'now'>; readonly random: Random },
): Promise<{ readonly targets: ReadonlyMap<string, InvokeTarget>; readonly children: readonly Draft[] }> {
  const { function: where, traceId } = parent.head
  const targets = new Map<string, InvokeTarget>()
  const children: Draft[] = []
  for (const { Id, Type, Payload, ChainedInvokeOptions } of updates) {
    if (Type !== 'CHAINED_INVOKE') continue
    const named = parseFunctionReference(ChainedInvokeOptions?.FunctionName ?? '')
    if (!named) continue
    try {
      const version = await given.resolve({ ...where, name: named.name }, named.qualifier)
      if (!version.durable) {
        targets.set(Id, { kind: 'plain', version: version.version })
        continue
      }
      if (named.qualifier === undefined) throw unqualified()
      const tenantId = ChainedInvokeOptions?.TenantId
      const refusal = refusalByTenant(version, tenantId)
      if (refusal) throw refusal
      const child = beginExecution(
        {
          version,
          input: Payload,
          ...(traceId !== undefined && { traceId }),
          ...(tenantId !== undefined && { tenantId }),
          isSynchronous: false,
          parent: { ref: refOf(parent), operationId: Id },
        },
        given.clock.now(),
        given.random,
      )
      children.push(child)
      const { version: number } = version
      targets.set(Id, { kind: 'durable', version: number, child: refOf(child), childArn: arnOf(child.head) })
    } catch (error) {
      if (!(error instanceof LambdaError) || mayPass(error)) throw error
      targets.set(Id, { kind: 'refused', error: errorOf(error) })
    }
  }
  return { targets, children }
}

/** What the operation of a chained invoke says of the child's end. Texts as in the official testing library. */
export function outcomeForParent({ status, settings }: ExecutionHead, root: StoredOperation): InvokeOutcome {
  const { result, error } = root
  switch (status) {
    case 'SUCCEEDED':
      return { status, ...(result !== undefined && { result }) }
    case 'TIMED_OUT': {
      const ErrorMessage = `CHAINED_INVOKE timed out after ${settings.executionTimeoutSeconds} seconds.`
      return { status, error: { ErrorMessage, ErrorType: 'ChainedInvoke.Timeout' } }
    }
    case 'STOPPED':
      return { status, ...(error && { error }) }
    default:
      return { status: 'FAILED', ...(error && { error }) }
  }
}

/** How the one invocation of an ordinary function ended, in the words of the chained invoke. */
export function plainOutcome(result: InvocationResult | LambdaError): InvokeOutcome {
  if (result instanceof LambdaError) return { status: 'FAILED', error: errorOf(result) }
  const { payload, functionError } = result
  if (functionError !== undefined) return { status: 'FAILED', error: runtimeErrorOf(payload) }
  if (payload.byteLength > MAX_CHAINED_PAYLOAD_BYTES) {
    const ErrorMessage = `CHAINED_INVOKE output payload size must be less than or equal to ${MAX_CHAINED_PAYLOAD_BYTES} bytes.`
    return { status: 'FAILED', error: { ErrorMessage } }
  }
  return { status: 'SUCCEEDED', result: Buffer.from(payload).toString('utf8') }
}
