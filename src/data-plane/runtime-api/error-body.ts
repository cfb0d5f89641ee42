/** Errors as runtimes report them over HTTP. */
import type { RequestHead } from '#data-plane/runtime-api/http-head.ts'

const ERROR_WITH_CAUSE = 'application/vnd.aws.lambda.error.cause+json'

/** AWS keeps a type only when it contains such a name; everything else is unknown. */
export function runtimeErrorType(header: string | undefined): string {
  if (header !== undefined && /(Runtime|Function)\.[A-Z][a-zA-Z]+/.test(header)) return header.slice(0, 1024)
  return header?.startsWith('Function.') ? 'Function.Unknown' : 'Runtime.Unknown'
}

/** The document for the caller: as it was sent, except that the X-Ray cause of the combined form is taken out. */
export function readErrorBody(head: RequestHead, body: Buffer): Buffer {
  if (head.headers.get('content-type') !== ERROR_WITH_CAUSE) return body
  try {
    const { errorMessage, errorType, stackTrace } = JSON.parse(body.toString('utf8')) as Record<
      string,
      unknown
    >
    const text = (value: unknown) => (typeof value === 'string' ? value : '')
    const trace = Array.isArray(stackTrace) ? stackTrace.filter((line) => typeof line === 'string') : []
    return Buffer.from(
      JSON.stringify({
        errorMessage: text(errorMessage),
        errorType: text(errorType),
        ...(trace.length > 0 && { stackTrace: trace }),
      }),
    )
  } catch {
    return Buffer.from('"Invalid error body"')
  }
}
