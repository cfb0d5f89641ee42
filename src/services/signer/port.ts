/** What AWS Signer needs of a bucket: the packages that it signs lie in one, and so do the results. */
import type { Readable } from 'node:stream'

export interface SigningBucket {
  /**
   * The object's bytes; the caller consumes or destroys them. Rejects with a `LambdaError` that carries S3's words.
   * `signal` ends the transfer too.
   */
  open(
    source: { readonly bucket: string; readonly key: string; readonly version?: string },
    signal: AbortSignal,
  ): Promise<{ readonly body: Readable }>
  /** Stores the file as an object; durable when it resolves. Rejects as `open` does. */
  put(
    target: { readonly bucket: string; readonly key: string },
    path: string,
    signal: AbortSignal,
  ): Promise<void>
}
