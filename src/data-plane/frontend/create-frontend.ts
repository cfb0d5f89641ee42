import { functionArn } from '#contracts/arn.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { InvocationRequest, InvocationResult, ResponseStream } from '#contracts/invocation.ts'
import { refusalByTenant } from '#contracts/tenant.ts'
import type { Counting } from '#data-plane/counting/port.ts'
import type { EventQueues } from '#data-plane/events/port.ts'
import type { Catalog } from '#data-plane/frontend/catalog.ts'
import { refusalByState } from '#data-plane/frontend/invocable.ts'
import {
  AWS_STREAMING_LIMITS,
  createOutgoingStream,
  type StreamingLimits,
} from '#data-plane/frontend/outgoing-stream.ts'
import { refuseLargePayload } from '#data-plane/frontend/payload-limits.ts'
import type { StreamingFrontend } from '#data-plane/frontend/port.ts'
import { newTraceHeader } from '#data-plane/frontend/trace-header.ts'
import type { Placement, PlacementInvocation } from '#data-plane/placement/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'

/** What a function is given when its caller sent nothing. */
const EMPTY_EVENT: Uint8Array = Buffer.from('{}')

/** On a capacity provider no qualifier means a published version, and the function is told so (seen from AWS). */
const impliedQualifier = ({ managedInstances, version }: FunctionVersion) => managedInstances && version

/** Resolve, admit, run: nothing here waits for a disk or parses a payload. */
export function createFrontend(options: {
  readonly catalog: Pick<Catalog, 'resolve'>
  readonly counting: Pick<Counting, 'admit'>
  readonly placement: Pick<Placement, 'invoke'>
  readonly events: Pick<EventQueues, 'enqueue'>
  readonly clock: Clock
  readonly random: Random
  /** Left out: AWS's. */
  readonly streaming?: Partial<StreamingLimits>
}): StreamingFrontend {
  const { catalog, counting, placement, events, clock, random } = options
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

  const placementInvocation = (
    request: InvocationRequest,
    version: FunctionVersion,
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
        traceId: request.traceId ?? newTraceHeader(version, clock, random),
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
      const release = counting.admit(request.id, version.version)
      try {
        return await placement.invoke(placementInvocation(request, version, undefined))
      } finally {
        release()
      }
    },
    async invokeStreaming(request) {
      const version = await invocableVersion(request)
      refuseLargePayload(request.payload.byteLength, 'RequestResponse')
      const release = counting.admit(request.id, version.version)
      const stream = createOutgoingStream({ limits, clock })
      const run = async (): Promise<InvocationResult> => {
        try {
          return await placement.invoke(placementInvocation(request, version, stream))
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
        streamed: begun,
        contentType,
        chunks: begun ? stream.chunks() : chunksOf(await end),
        end,
      }
    },
    async enqueue(request) {
      const version = await invocableVersion(request)
      refuseLargePayload(request.payload.byteLength, 'Event')
      // The client context is for synchronous invocations only (API reference).
      await events.enqueue({
        target: request.id,
        qualifier: request.qualifier,
        requestId: request.requestId,
        payload: payloadOf(request),
        traceId: request.traceId ?? newTraceHeader(version, clock, random),
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
