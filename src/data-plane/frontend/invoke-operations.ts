/** Invoke, InvokeAsync and InvokeWithResponseStream: from the members of the API model to the front end and back. */
import { invalidParameter } from '#contracts/errors.ts'
import type { InvocationRequest, InvocationResult } from '#contracts/invocation.ts'
import { checkPayload } from '#data-plane/frontend/check-payload.ts'
import { decodeClientContext } from '#data-plane/frontend/client-context.ts'
import { invokeTarget } from '#data-plane/frontend/invoke-target.ts'
import { refuseLargeRequest } from '#data-plane/frontend/payload-limits.ts'
import type { Frontend } from '#data-plane/frontend/port.ts'
import type { OperationHandlers, RequestContext } from '#wire/service.ts'

/** Members of the API's request shapes, as the wire layer hands them over. */
interface InvokeInput {
  readonly FunctionName: string
  readonly Qualifier?: string
  readonly InvocationType?: 'RequestResponse' | 'Event' | 'DryRun'
  readonly LogType?: 'None' | 'Tail'
  readonly ClientContext?: string
  readonly DurableExecutionName?: string
  readonly Payload?: Uint8Array
  readonly TenantId?: string
}

interface InvokeAsyncInput {
  readonly FunctionName: string
  readonly InvokeArgs: Uint8Array
}

const NOTHING = new Uint8Array()

/** Reads and checks everything that can be wrong with the request itself. */
function requestOf(
  input: InvokeInput,
  context: RequestContext,
): { readonly request: InvocationRequest; readonly checked: undefined | Promise<void> } {
  const { id, qualifier } = invokeTarget(input, context)
  if (input.DurableExecutionName !== undefined) {
    // Text unverified; durable functions are not built.
    throw invalidParameter('The durable execution name is only supported for durable functions.')
  }
  if (input.TenantId !== undefined) {
    // Text unverified; functions with tenant isolation are not built.
    throw invalidParameter(
      'The invoked function is not enabled with tenancy configuration. Remove the tenant ID from your request and try again.',
    )
  }
  const payload = input.Payload ?? NOTHING
  refuseLargeRequest(payload.byteLength)
  const request: InvocationRequest = {
    id,
    qualifier,
    requestId: context.requestId,
    payload,
    clientContext: decodeClientContext(input.ClientContext),
    traceId: context.traceId,
    logType: input.LogType ?? 'None',
    signal: context.signal,
  }
  return { request, checked: payload.byteLength === 0 ? undefined : checkPayload(payload) }
}

const base64 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

const logResult = ({ logTail }: InvocationResult) => (logTail ? { LogResult: base64(logTail) } : {})

/** A buffered answer as the events of a stream: one chunk, then the end. */
async function* eventsOf(result: InvocationResult) {
  const { functionError, payload } = result
  if (functionError !== undefined) {
    // Where AWS puts the error document of a buffered function is unverified.
    const ErrorDetails = Buffer.from(payload).toString('utf8')
    yield { InvokeComplete: { ErrorCode: functionError, ErrorDetails, ...logResult(result) } }
    return
  }
  if (payload.byteLength > 0) yield { PayloadChunk: { Payload: payload } }
  yield { InvokeComplete: logResult(result) }
}

export function createInvokeOperations(options: { readonly frontend: Frontend }): OperationHandlers {
  const { frontend } = options
  return {
    async Invoke(input: InvokeInput, context: RequestContext) {
      const { request, checked } = requestOf(input, context)
      if (checked) await checked
      switch (input.InvocationType ?? 'RequestResponse') {
        case 'DryRun':
          await frontend.dryRun(request)
          return { $status: 204 }
        case 'Event':
          await frontend.enqueue(request)
          return { $status: 202 }
        case 'RequestResponse': {
          const result = await frontend.invoke(request)
          return {
            $status: 200,
            ExecutedVersion: result.executedVersion,
            Payload: result.payload,
            ...(result.functionError === undefined ? {} : { FunctionError: result.functionError }),
            ...logResult(result),
          }
        }
      }
    },
    async InvokeAsync({ FunctionName, InvokeArgs }: InvokeAsyncInput, context: RequestContext) {
      const { request, checked } = requestOf({ FunctionName, Payload: InvokeArgs }, context)
      if (checked) await checked
      await frontend.enqueue(request)
      return { $status: 202 }
    },
    async InvokeWithResponseStream(input: InvokeInput, context: RequestContext) {
      const { request, checked } = requestOf(input, context)
      if (checked) await checked
      if (input.InvocationType === 'DryRun') {
        await frontend.dryRun(request)
        return { $status: 204 }
      }
      const result = await frontend.invoke(request)
      return { $status: 200, ExecutedVersion: result.executedVersion, EventStream: eventsOf(result) }
    },
  }
}
