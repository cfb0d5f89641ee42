/** A message as it lies in the log: a small head that changes when it is received, and a payload that never does. */

/** An attribute in the form in which it travels; binary values are base64 at rest. */
export interface MessageAttribute {
  readonly type: string
  readonly text?: string
  readonly base64?: string
}
export type MessageAttributes = Readonly<Record<string, MessageAttribute>>

export interface MessageHead {
  readonly messageId: string
  readonly senderId: string
  /** Wall-clock milliseconds; retention counts from here. */
  readonly sentAt: number
  readonly group?: string
  readonly deduplicationId?: string
  readonly traceHeader?: string
  /** ARN of the queue whose dead letter this is. */
  readonly deadLetterSource?: string
}

/** How often it was received, and when first. */
export interface Received {
  readonly receives: number
  readonly firstReceivedAt: number | undefined
}

export interface MessageContent {
  readonly body: string
  readonly attributes: MessageAttributes
}

export const NEVER_RECEIVED: Received = { receives: 0, firstReceivedAt: undefined }

export const encodeHead = (head: MessageHead, { receives, firstReceivedAt }: Received): string =>
  JSON.stringify({ v: 1, ...head, receives, firstReceivedAt })

/** Throws when the head is of another version or no head at all. */
export function decodeHead(text: string): { readonly head: MessageHead; readonly received: Received } {
  const { v, receives, firstReceivedAt, ...head } = JSON.parse(text) as MessageHead & Received & { v: number }
  if (v !== 1) throw new Error(`A message of version ${String(v)} cannot be read`)
  return { head, received: { receives, firstReceivedAt } }
}

/** Four bytes with the length of the attributes' JSON, that JSON, and the body. */
export function encodeContent({ body, attributes }: MessageContent): Uint8Array {
  const names = Object.keys(attributes).length
  const json = names === 0 ? '' : JSON.stringify(attributes)
  const jsonBytes = Buffer.byteLength(json)
  const payload = Buffer.alloc(4 + jsonBytes + Buffer.byteLength(body))
  payload.writeUInt32BE(jsonBytes)
  payload.write(json, 4)
  payload.write(body, 4 + jsonBytes)
  return payload
}

export function decodeContent(payload: Uint8Array): MessageContent {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const end = 4 + bytes.readUInt32BE()
  const json = bytes.toString('utf8', 4, end)
  return {
    attributes: json === '' ? {} : (JSON.parse(json) as MessageAttributes),
    body: bytes.toString('utf8', end),
  }
}
