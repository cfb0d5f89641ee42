/** What a protocol does for the door: finds the operation, reads its input, writes its output and its errors. */
import type { IncomingHttpHeaders } from 'node:http'

import type { LambdaError } from '#contracts/errors.ts'

/** The head of a request, as the protocols see it. */
export interface RequestHead {
  readonly method: string
  /** Path as sent, percent-encoded, without the query. */
  readonly path: string
  /** Query as sent, without the question mark. */
  readonly query: string
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
}

export interface Route {
  /** Name of the operation in the model. */
  readonly operation: string
  /** Labels of the path, still percent-encoded; empty for protocols without any. */
  readonly labels: readonly string[]
}

/** Names and values alternate, as `ServerResponse.writeHead` takes them. */
export type FlatHeaders = readonly string[]

export interface WireResponse {
  readonly status: number
  readonly headers: FlatHeaders
  /** Undefined: no body. A stream is sent chunk by chunk, under back-pressure. */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array> | undefined
}

export interface Protocol {
  /**
   * Throws `LambdaError` when no operation fits. Undefined when the head alone does not tell; the door asks again when
   * it has the body.
   */
  route(head: RequestHead, body?: Uint8Array): Route | undefined
  /** The validated input. Throws SerializationException and ValidationException. */
  read(route: Route, head: RequestHead, body: Uint8Array): object
  /** `requestId` is for protocols that repeat it in the body. */
  write(operation: string, output: object, requestId: string): WireResponse
  writeError(error: LambdaError, requestId: string): WireResponse
}
