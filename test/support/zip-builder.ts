/** Writes zips byte by byte, also ones that lie: the archives that no honest tool makes. */
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipPart {
  readonly name: string | Uint8Array
  readonly data?: string | Uint8Array
  /** Unix mode with the file type, such as 0o100644 or 0o120777. */
  readonly mode?: number
  readonly deflate?: boolean
  /** General purpose flags; UTF-8 (0x800) unless given. */
  readonly flags?: number
  readonly method?: number
  /** 3 is Unix, 0 is FAT. */
  readonly madeBy?: number
  /** What the headers claim instead of the truth. */
  readonly claimedSize?: number
  readonly claimedCrc?: number
  /** Lists the entry with the data of the part at this index instead of its own. */
  readonly sharesDataOf?: number
}

export function buildZip(parts: readonly ZipPart[]): Buffer {
  const local: Buffer[] = []
  const central: Buffer[] = []
  const offsets: number[] = []
  let position = 0
  for (const part of parts) {
    const name = typeof part.name === 'string' ? Buffer.from(part.name) : Buffer.from(part.name)
    const data = Buffer.from(part.data ?? '')
    const body = part.deflate ? deflateRawSync(data) : data
    const method = part.method ?? (part.deflate ? 8 : 0)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(part.flags ?? 0x800, 2)
    common.writeUInt16LE(method, 4)
    common.writeUInt32LE(part.claimedCrc ?? crc32(data), 10)
    common.writeUInt32LE(body.byteLength, 14)
    common.writeUInt32LE(part.claimedSize ?? data.byteLength, 18)
    common.writeUInt16LE(name.byteLength, 22)
    const shared = part.sharesDataOf
    offsets.push(shared === undefined ? position : (offsets[shared] ?? 0))
    if (shared === undefined) {
      const header = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, body])
      local.push(header)
      position += header.byteLength
    }
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(((part.mode ?? 0o100644) << 16) >>> 0, 6)
    tail.writeUInt32LE(offsets.at(-1) ?? 0, 10)
    const madeBy = Buffer.from([20, part.madeBy ?? 3])
    central.push(Buffer.concat([Buffer.from('PK\x01\x02'), madeBy, common, tail, name]))
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 0, 'latin1')
  end.writeUInt16LE(parts.length, 8)
  end.writeUInt16LE(parts.length, 10)
  end.writeUInt32LE(directory.byteLength, 12)
  end.writeUInt32LE(position, 16)
  return Buffer.concat([...local, directory, end])
}
