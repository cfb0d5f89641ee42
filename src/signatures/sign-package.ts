/** Adds a signature to a code package without touching the entries that are in it. */
import { crc32, deflateRawSync } from 'node:zlib'

import { DEFAULT_ARCHIVE_LIMITS } from '#archives/archive-limits.ts'
import { listZip } from '#archives/zip-listing.ts'
import type { ZipSource } from '#archives/zip-source.ts'

import type { Identity } from './certificates.ts'
import { signContent, type Claims } from './cms.ts'
import { digestPackage, SIGNATURE_DIRECTORY, SIGNATURE_FILE } from './package-digest.ts'

/** The package can not be signed; the message says why. */
export class NotSignable extends Error {
  override readonly name = 'NotSignable'
}

export interface SignedTail {
  /** So many bytes of the package stay; what follows them is replaced. */
  readonly keepBytes: number
  readonly tail: Buffer
}

/** Throws `NotSignable`, and `ArchiveRefused` for what is no archive that a function may have. */
export async function signPackage(
  source: ZipSource,
  claims: Claims,
  identity: { readonly signer: Identity; readonly authority: Uint8Array },
): Promise<SignedTail> {
  const { named, entries } = await listZip(source, DEFAULT_ARCHIVE_LIMITS)
  if (entries.length === 0) throw new NotSignable('The archive is empty')
  if (entries.some(({ path }) => path === SIGNATURE_FILE))
    throw new NotSignable('The archive is signed already')
  const directory = readDirectory(source)
  const added = named.some(({ name }) => name === SIGNATURE_DIRECTORY) ? [] : [SIGNATURE_DIRECTORY]
  const digest = await digestPackage(source, named, added)
  const pem = signContent(digest, claims, identity)
  const files = [
    ...added.map((name) => ({ name, data: Buffer.alloc(0), mode: 0o040755 })),
    { name: SIGNATURE_FILE, data: Buffer.from(pem), mode: 0o100644 },
  ]
  if (directory.count + files.length > MAX_ENTRIES) throw new NotSignable('The archive has too many entries')

  let offset = directory.offset
  const parts = files.map((file) => {
    const part = entryOf(file, offset, claims.signedAt)
    offset += part.local.byteLength
    return part
  })
  const list = Buffer.concat([
    source.read(directory.offset, directory.sizeBytes),
    ...parts.map(({ central }) => central),
  ])
  const end = Buffer.alloc(END_BYTES)
  end.writeUInt32LE(END_SIGNATURE)
  end.writeUInt16LE(directory.count + files.length, 8)
  end.writeUInt16LE(directory.count + files.length, 10)
  end.writeUInt32LE(list.byteLength, 12)
  end.writeUInt32LE(offset, 16)
  return {
    keepBytes: directory.offset,
    tail: Buffer.concat([...parts.map(({ local }) => local), list, end]),
  }
}

const END_SIGNATURE = 0x06054b50
const END_BYTES = 22
const MAX_COMMENT_BYTES = 0xffff
const MAX_ENTRIES = 0xfffe

/** Where the archive's list of entries lies. Archives with the zip64 extension are not signed. */
function readDirectory(source: ZipSource) {
  const start = Math.max(0, source.sizeBytes - END_BYTES - MAX_COMMENT_BYTES)
  const last = source.read(start, source.sizeBytes - start)
  const marker = Buffer.alloc(4)
  marker.writeUInt32LE(END_SIGNATURE)
  const at = last.lastIndexOf(marker)
  if (at === -1 || at + END_BYTES > last.byteLength) throw new NotSignable('The archive has no end')
  const count = last.readUInt16LE(at + 10)
  const sizeBytes = last.readUInt32LE(at + 12)
  const offset = last.readUInt32LE(at + 16)
  // Anything else before or behind the list (zip64, a prefix) would move what the offsets mean.
  if (count === 0xffff || offset + sizeBytes !== start + at) {
    throw new NotSignable('The archive has a form that can not be signed')
  }
  return { count, sizeBytes, offset }
}

const VERSION = 20
const MADE_BY_UNIX = 3 << 8
const UTF8 = 0x800
const DEFLATED = 8

function entryOf(
  { name, data, mode }: { readonly name: string; readonly data: Buffer; readonly mode: number },
  offset: number,
  timeMs: number,
) {
  const path = Buffer.from(name)
  const body = data.byteLength === 0 ? data : deflateRawSync(data)
  const shared = Buffer.alloc(26)
  shared.writeUInt16LE(VERSION)
  shared.writeUInt16LE(UTF8, 2)
  shared.writeUInt16LE(data.byteLength === 0 ? 0 : DEFLATED, 4)
  shared.writeUInt32LE(dosTime(timeMs), 6)
  shared.writeUInt32LE(crc32(data), 10)
  shared.writeUInt32LE(body.byteLength, 14)
  shared.writeUInt32LE(data.byteLength, 18)
  shared.writeUInt16LE(path.byteLength, 22)
  const central = Buffer.alloc(46)
  central.writeUInt32LE(0x02014b50)
  central.writeUInt16LE(MADE_BY_UNIX | VERSION, 4)
  shared.copy(central, 6)
  central.writeUInt32LE(mode * 0x10000, 38)
  central.writeUInt32LE(offset, 42)
  return {
    local: Buffer.concat([Buffer.from([0x50, 0x4b, 0x03, 0x04]), shared, path, body]),
    central: Buffer.concat([central, path]),
  }
}

function dosTime(timeMs: number): number {
  const at = new Date(timeMs)
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate()
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1)
  return date * 0x10000 + time
}
