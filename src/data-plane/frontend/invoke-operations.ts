/** Invoke, InvokeAsync and InvokeWithResponseStream: from the members of the API model to the front end and back. */
import { LambdaError } from '#contracts/errors.ts'
import type { InvocationRequest, InvocationResult } from '#contracts/invocation.ts'
import { formatAnswerHeader, type TraceHeader } from '#contracts/trace-header.ts'
import { checkPayload } from '#data-plane/frontend/check-payload.ts'
import { decodeClientContext } from '#data-plane/frontend/client-context.ts'
import { invokeTarget } from '#data-plane/frontend/invoke-target.ts'
import { refuseLargeRequest } from '#data-plane/frontend/payload-limits.ts'
import type { StreamedAnswer, StreamingFrontend } from '#data-plane/frontend/port.ts'
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
  const payload = input.Payload ?? NOTHING
  refuseLargeRequest(payload.byteLength)
  const request: InvocationRequest = {
    id,
    qualifier,
    requestId: context.requestId,
    payload,
    clientContext: decodeClientContext(input.ClientContext),
    traceId: context.traceId,
    ...(input.DurableExecutionName !== undefined && { durableExecutionName: input.DurableExecutionName }),
    ...(input.TenantId !== undefined && { tenantId: input.TenantId }),
    logType: input.LogType ?? 'None',
    signal: context.signal,
  }
  return { request, checked: payload.byteLength === 0 ? undefined : checkPayload(payload) }
}

const base64 = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')

const traceHeaders = ({ trace }: { readonly trace?: TraceHeader }) =>
  trace && { $headers: ['X-Amzn-Trace-Id', formatAnswerHeader(trace)] }

const logResult = ({ logTail }: InvocationResult) => (logTail ? { LogResult: base64(logTail) } : {})

/** How a stream ended. That an error's document is all of `ErrorDetails` and its code `Unhandled` is unverified. */
async function completion(end: Promise<InvocationResult>) {
  try {
    const result = await end
    if (result.functionError === undefined) return logResult(result)
    const ErrorDetails = Buffer.from(result.payload).toString('utf8')
    return { ErrorCode: result.functionError, ErrorDetails, ...logResult(result) }
  } catch (error) {
    // The head is out, so that this is the only way left to say it. What AWS sends then is unverified.
    if (!(error instanceof LambdaError)) throw error
    return { ErrorCode: error.code, ErrorDetails: error.message }
  }
}

/** An answer as the events of a stream: what comes, then the end. */
async function* eventsOf({ chunks, end }: StreamedAnswer) {
  for await (const Payload of chunks) yield { PayloadChunk: { Payload } }
  yield { InvokeComplete: await completion(end) }
}

export function createInvokeOperations(options: { readonly frontend: StreamingFrontend }): OperationHandlers {
  const { frontend } = options
  return {
    async Invoke(input: InvokeInput, context: RequestContext) {
      const { request, checked } = requestOf(input, context)
      if (checked) await checked
      switch (input.InvocationType ?? 'RequestResponse') {
        case 'DryRun':
          await frontend.dryRun(request)
          return { $status: 204 }
        case 'Event': {
          const started = await frontend.enqueue(request)
          return { $status: 202, ...(started && { DurableExecutionArn: started.durableExecutionArn }) }
        }
        case 'RequestResponse': {
          const result = await frontend.invoke(request)
          return {
            $status: 200,
            ...traceHeaders(result),
            ExecutedVersion: result.executedVersion,
            Payload: result.payload,
            ...(result.functionError === undefined ? {} : { FunctionError: result.functionError }),
            ...(result.durableExecutionArn !== undefined && {
              DurableExecutionArn: result.durableExecutionArn,
            }),
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
      const answer = await frontend.invokeStreaming(request)
      return {
        $status: 200,
        ...traceHeaders(answer),
        ExecutedVersion: answer.executedVersion,
        // Bound to the header Content-Type, which the event stream has taken: the wire layer leaves it out.
        ResponseStreamContentType: answer.contentType,
        EventStream: eventsOf(answer),
      }
    },
  }
}
