/** How an attempt to send ended. */
import { LambdaError } from '#contracts/errors.ts'

export type SendResult =
  | { readonly kind: 'delivered' }
  /** The endpoint will not have it: trying again is of no use. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }

export async function resultOfCall(call: Promise<unknown>): Promise<SendResult> {
  try {
    await call
    return { kind: 'delivered' }
  } catch (error) {
    if (!(error instanceof LambdaError)) return { kind: 'failed', reason: String(error) }
    const reason = `${error.code}: ${error.message}`
    const status = error.status ?? 500
    return { kind: status >= 500 || status === 429 ? 'failed' : 'refused', reason }
  }
}
