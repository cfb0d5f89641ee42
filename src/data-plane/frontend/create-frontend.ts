import { functionArn, type FunctionId } from '#contracts/arn.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { InvocationRequest, InvocationResult, ResponseStream } from '#contracts/invocation.ts'
import { refusalByTenant } from '#contracts/tenant.ts'
import {
  formatTraceHeader,
  newTraceRoot,
  parseTraceHeader,
  type TraceHeader,
} from '#contracts/trace-header.ts'
import type { Counting } from '#data-plane/counting/port.ts'
import type { EventQueues } from '#data-plane/events/port.ts'
import type { Catalog } from '#data-plane/frontend/catalog.ts'
import { continueTrace } from '#data-plane/frontend/continue-trace.ts'
import { refusalByState } from '#data-plane/frontend/invocable.ts'
import { isLoop, recursionStopped } from '#data-plane/frontend/lineage.ts'
import {
  AWS_STREAMING_LIMITS,
  createOutgoingStream,
  type StreamingLimits,
} from '#data-plane/frontend/outgoing-stream.ts'
import { refuseLargePayload } from '#data-plane/frontend/payload-limits.ts'
import type { StreamingFrontend } from '#data-plane/frontend/port.ts'
import type { Placement, PlacementInvocation } from '#data-plane/placement/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'

/** What a function is given when its caller sent nothing. */
const EMPTY_EVENT: Uint8Array = Buffer.from('{}')

/** On a capacity provider no qualifier means a published version, and the function is told so (seen from AWS). */
const impliedQualifier = ({ managedInstances, version }: FunctionVersion) => managedInstances && version

/** Resolve, admit, run: nothing here waits for a disk or parses a payload. */
export function createFrontend(options: {
  readonly catalog: Pick<Catalog, 'resolve' | 'allowsRecursion'>
  readonly counting: Pick<Counting, 'admit'>
  readonly placement: Pick<Placement, 'invoke'>
  readonly events: Pick<EventQueues, 'enqueue'>
  readonly clock: Clock
  readonly random: Random
  /** Left out: AWS's. */
  readonly streaming?: Partial<StreamingLimits>
}): StreamingFrontend {
  const { catalog, counting, placement, events, clock, random } = options
  /** Every attempt of an event continues the trace that it came with. */
  const traceToKeep = (given: string | undefined) =>
    formatTraceHeader(parseTraceHeader(given) ?? { root: newTraceRoot(clock.now(), random.hex(24)) })
  const limits: StreamingLimits = { ...AWS_STREAMING_LIMITS, ...options.streaming }

  const invocableVersion = async (request: InvocationRequest): Promise<FunctionVersion> => {
    const { id, qualifier, tenantId } = request
    const found = catalog.resolve(id, qualifier)
    const version = found instanceof Promise ? await found : found
    const refusal = refusalByState(version) ?? refusalByTenant(version, tenantId)
    if (refusal) throw refusal
    return version
  }
  const payloadOf = ({ payload }: InvocationRequest) => (payload.byteLength === 0 ? EMPTY_EVENT : payload)

  /** Refuses, in AWS's words, a request that goes round in circles, unless the function wants it so. */
  const traceOf = (request: InvocationRequest, version: FunctionVersion) => {
    const trace = continueTrace(parseTraceHeader(request.traceId), version, options)
    return isLoop(trace.lineage) ? allowedLoop(request.id, trace) : trace
  }
  const allowedLoop = async (
    id: FunctionId,
    { lineage: _counted, ...trace }: TraceHeader,
  ): Promise<TraceHeader> => {
    // What is allowed is not counted on: another function of the circle may not allow it, and is watched from here on.
    if (await catalog.allowsRecursion(id)) return trace
    throw recursionStopped()
  }

  const placementInvocation = (
    request: InvocationRequest,
    version: FunctionVersion,
    trace: TraceHeader,
    stream: ResponseStream | undefined,
  ): PlacementInvocation => {
    const { id, qualifier, requestId, logType, signal, clientContext, cognitoIdentity, tenantId } = request
    return {
      version,
      invocation: {
        requestId,
        payload: payloadOf(request),
        // As the caller named it: an alias stays an alias, and no qualifier stays none.
        invokedFunctionArn: functionArn(id, qualifier ?? impliedQualifier(version)),
        traceId: formatTraceHeader(trace),
        clientContext,
        cognitoIdentity,
        tenantId,
      },
      logType,
      signal,
      stream,
    }
  }

  return {
    async invoke(request) {
      const version = await invocableVersion(request)
      refuseLargePayload(request.payload.byteLength, 'RequestResponse')
      const found = traceOf(request, version)
      const trace = found instanceof Promise ? await found : found
      const release = counting.admit(request.id, version.version)
      try {
        const result = await placement.invoke(placementInvocation(request, version, trace, undefined))
        return { ...result, trace }
      } finally {
        release()
      }
    },
    async invokeStreaming(request) {
      const version = await invocableVersion(request)
      refuseLargePayload(request.payload.byteLength, 'RequestResponse')
      const found = traceOf(request, version)
      const trace = found instanceof Promise ? await found : found
      const release = counting.admit(request.id, version.version)
      const stream = createOutgoingStream({ limits, clock })
      const run = async (): Promise<InvocationResult> => {
        try {
          return await placement.invoke(placementInvocation(request, version, trace, stream))
        } finally {
          release()
          stream.close()
        }
      }
      const end = run()
      // Whoever left does not hear of the end.
      end.catch(() => {})
      // Also for an answer that nobody begins to read: the client may be gone before.
      request.signal?.addEventListener('abort', stream.abandon, { once: true })
      await Promise.race([stream.started, end])
      const { begun, contentType } = stream
      return {
        executedVersion: version.version,
        trace,
        streamed: begun,
        contentType,
        chunks: begun ? stream.chunks() : chunksOf(await end),
        end,
      }
    },
    async enqueue(request) {
      await invocableVersion(request)
      refuseLargePayload(request.payload.byteLength, 'Event')
      // The client context is for synchronous invocations only (API reference).
      await events.enqueue({
        target: request.id,
        qualifier: request.qualifier,
        requestId: request.requestId,
        payload: payloadOf(request),
        traceId: traceToKeep(request.traceId),
        ...(request.tenantId !== undefined && { tenantId: request.tenantId }),
        acceptedAt: clock.now(),
        functionErrors: 0,
        attempts: 0,
      })
    },
    async dryRun(request) {
      await invocableVersion(request)
      refuseLargePayload(request.payload.byteLength, 'RequestResponse')
    },
  }
}

/** A buffered answer in one piece; an error document is not part of it. */
async function* chunksOf({ functionError, payload }: InvocationResult): AsyncGenerator<Uint8Array> {
  if (functionError === undefined && payload.byteLength > 0) yield payload
}
