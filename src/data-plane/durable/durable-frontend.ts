/** The front end for callers: an invocation of a durable function starts an execution, any other passes through. */
import { MAX_SYNC_EXECUTION_SECONDS } from '#contracts/durable.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { InvocationRequest, InvocationResult } from '#contracts/invocation.ts'
import { MAX_ASYNC_PAYLOAD_BYTES } from '#contracts/limits.ts'
import { unqualified, type ResolveVersion } from '#data-plane/durable/chained-invokes.ts'
import type { Engine } from '#data-plane/durable/create-engine.ts'
import type { ExecutionOutcome } from '#data-plane/durable/port.ts'
import type { StreamingFrontend } from '#data-plane/frontend/port.ts'

/** What a caller that waited is given: the result, or the error document of a function that failed. */
function resultOf({ arn, version, status, result, error }: ExecutionOutcome): InvocationResult {
  if (status === 'SUCCEEDED') {
    return { executedVersion: version, payload: Buffer.from(result ?? 'null'), durableExecutionArn: arn }
  }
  const document = {
    ...(error?.ErrorMessage !== undefined && { errorMessage: error.ErrorMessage }),
    ...(error?.ErrorType !== undefined && { errorType: error.ErrorType }),
    ...(error?.StackTrace !== undefined && { stackTrace: error.StackTrace }),
  }
  return {
    executedVersion: version,
    payload: Buffer.from(JSON.stringify(document)),
    functionError: 'Unhandled',
    durableExecutionArn: arn,
  }
}

export function createDurableFrontend(options: {
  readonly frontend: StreamingFrontend
  readonly engine: Pick<Engine, 'begin' | 'outcome'>
  readonly resolve: ResolveVersion
}): StreamingFrontend {
  const { frontend, engine, resolve } = options

  /** The version, when it is a durable one; refuses what only durable functions, or they alone, don't take. */
  const durableVersion = async (request: InvocationRequest): Promise<FunctionVersion | undefined> => {
    const found = resolve(request.id, request.qualifier)
    const version = found instanceof Promise ? await found : found
    if (!version.durable) {
      if (request.durableExecutionName === undefined) return undefined
      // Text unverified.
      throw invalidParameter('The durable execution name is only supported for durable functions.')
    }
    if (request.qualifier === undefined) throw unqualified()
    // State, existence and size as for every function.
    await frontend.dryRun(request)
    return version
  }

  const begin = (request: InvocationRequest, version: FunctionVersion, isSynchronous: boolean) =>
    engine.begin({
      version,
      input: request.payload.byteLength === 0 ? '{}' : Buffer.from(request.payload).toString('utf8'),
      ...(request.durableExecutionName !== undefined && { name: request.durableExecutionName }),
      ...(request.traceId !== undefined && { traceId: request.traceId }),
      ...(request.tenantId !== undefined && { tenantId: request.tenantId }),
      isSynchronous,
    })

  const runExecution = async (request: InvocationRequest, version: FunctionVersion) => {
    if ((version.durable?.executionTimeoutSeconds ?? 0) > MAX_SYNC_EXECUTION_SECONDS) {
      // Text recorded from AWS.
      throw invalidParameter(
        'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.',
      )
    }
    const { ref } = await begin(request, version, true)
    return resultOf(await engine.outcome(ref, request.signal))
  }

  return {
    async invoke(request) {
      const version = await durableVersion(request)
      return version ? runExecution(request, version) : frontend.invoke(request)
    },
    async invokeStreaming(request) {
      const version = await durableVersion(request)
      if (!version) return frontend.invokeStreaming(request)
      const result = await runExecution(request, version)
      const { executedVersion, functionError, payload } = result
      return {
        executedVersion,
        streamed: false,
        contentType: undefined,
        chunks: (async function* () {
          if (functionError === undefined) yield payload
        })(),
        end: Promise.resolve(result),
      }
    },
    async enqueue(request) {
      const version = await durableVersion(request)
      if (!version) return frontend.enqueue(request)
      const bytes = request.payload.byteLength
      if (bytes > MAX_ASYNC_PAYLOAD_BYTES) {
        throw new LambdaError(
          'RequestEntityTooLargeException',
          `${bytes} byte payload is too large for the Event invocation type (limit ${MAX_ASYNC_PAYLOAD_BYTES} bytes)`,
          { status: 413 },
        )
      }
      const { arn } = await begin(request, version, false)
      return { durableExecutionArn: arn }
    },
    async dryRun(request) {
      await durableVersion(request)
      await frontend.dryRun(request)
    },
  }
}
