/** Receipt handles: the message, and which of its receptions is meant. They outlive the process that gave them out. */

export interface Receipt {
  readonly number: number
  readonly id: bigint
  readonly receipt: number
}

const FORM = 1
const BYTES = 1 + 6 + 8 + 6
/** Receipts are whole numbers below this. */
export const MAX_RECEIPT = 2 ** 48

export function encodeReceipt({ number, id, receipt }: Receipt): string {
  const bytes = Buffer.alloc(BYTES)
  bytes.writeUInt8(FORM)
  bytes.writeUIntBE(number, 1, 6)
  bytes.writeBigUInt64BE(id, 7)
  bytes.writeUIntBE(receipt, 15, 6)
  return bytes.toString('base64url')
}

/** Undefined when it is none of ours. */
export function decodeReceipt(handle: string): Receipt | undefined {
  const bytes = Buffer.from(handle, 'base64url')
  if (bytes.byteLength !== BYTES || bytes[0] !== FORM || bytes.toString('base64url') !== handle)
    return undefined
  return {
    number: bytes.readUIntBE(1, 6),
    id: bytes.readBigUInt64BE(7),
    receipt: bytes.readUIntBE(15, 6),
  }
}
