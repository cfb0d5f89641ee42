/**
 * Frames of the managed runtime protocol (docs/runtimes.md). Layout, numbers big-endian:
 * length (4, of everything after it) · type (1) · header length (4) · header (JSON, may be empty) · payload.
 */

/** Version of the protocol, as READY names it. */
export const PROTOCOL_VERSION = 1

/** Bytes before the header: length, type, header length. */
export const FRAME_PREFIX_BYTES = 9

/** Longest header; the largest real one is a client context of 3,583 base64 bytes. */
export const MAX_HEADER_BYTES = 65_536

/** What the host sends. */
export const HOST_FRAME = { init: 0x01, invoke: 0x02, snapshot: 0x03, restore: 0x04 } as const

/** What the guest sends. */
export const GUEST_FRAME = {
  ready: 0x81,
  initDone: 0x82,
  initError: 0x83,
  response: 0x84,
  error: 0x85,
  streamStart: 0x86,
  streamChunk: 0x87,
  streamEnd: 0x88,
  log: 0x89,
  output: 0x8a,
} as const

export type HostFrameType = (typeof HOST_FRAME)[keyof typeof HOST_FRAME]
/**
 * The start of a frame whose payload of `payloadBytes` follows; `room` more bytes are allocated behind it, so that a
 * small payload can be copied in and the frame leaves in one piece.
 */
export function encodeFrameHead(
  type: HostFrameType,
  header: string,
  payloadBytes: number,
  room: number,
): Buffer {
  const headerBytes = Buffer.byteLength(header)
  if (headerBytes > MAX_HEADER_BYTES)
    throw new RangeError(`A frame header of ${headerBytes} bytes is too long`)
  const head = Buffer.allocUnsafe(FRAME_PREFIX_BYTES + headerBytes + room)
  head.writeUInt32BE(5 + headerBytes + payloadBytes, 0)
  head[4] = type
  head.writeUInt32BE(headerBytes, 5)
  head.write(header, FRAME_PREFIX_BYTES, headerBytes, 'utf8')
  return head
}
