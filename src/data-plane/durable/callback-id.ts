/** The id under which the outside answers a callback: says which one it is, and can't be guessed. */
import type { ExecutionRef } from '#contracts/durable.ts'

/** Base64, as the model wants it. `secret` tells it from an id that somebody made up. */
export const callbackIdOf = (
  { function: { account, region, name }, id }: ExecutionRef,
  operationId: string,
  secret: string,
) => Buffer.from(JSON.stringify([account, region, name, id, operationId, secret])).toString('base64')

/** Undefined when it is not an id of ours. Whether it is a valid one, only the stored callback can say. */
export function readCallbackId(
  text: string,
): { readonly ref: ExecutionRef; readonly operationId: string } | undefined {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
  } catch {
    return undefined
  }
  if (!Array.isArray(parts) || parts.length !== 6 || !parts.every((part) => typeof part === 'string')) {
    return undefined
  }
  const [account = '', region = '', name = '', id = '', operationId = ''] = parts as readonly string[]
  return { ref: { function: { account, region, name }, id }, operationId }
}
