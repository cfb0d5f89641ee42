/** Names of entries as they come out of an archive, turned into paths that can be joined to a directory. */
import { Buffer, isUtf8 } from 'node:buffer'

import { getFileNameLowLevel, type ExtraField } from 'yauzl'

import { ArchiveRefused } from '#archives/archive-refused.ts'

/** Linux: longest name of one directory entry. */
const MAX_NAME_BYTES = 255
const UTF8_FLAG = 0x800
const UNICODE_PATH_FIELD = 0x7075

/**
 * The name as text. UTF-8 where the entry says so or where the bytes are valid UTF-8 (Linux zip tools often leave the
 * flag out), otherwise the zip format's own code page 437.
 */
export function decodeName(raw: Buffer, flags: number, extraFields: readonly ExtraField[]): string {
  const flagged = (flags & UTF8_FLAG) !== 0
  if (flagged && !isUtf8(raw)) {
    throw new ArchiveRefused('bad-path', 'A name is marked as UTF-8 and is not', raw.toString('latin1'))
  }
  const unicode = extraFields.find((field) => field.id === UNICODE_PATH_FIELD)
  if (unicode && !isUtf8(unicode.data.subarray(5))) {
    throw new ArchiveRefused('bad-path', 'A Unicode name is not UTF-8', raw.toString('latin1'))
  }
  return getFileNameLowLevel(isUtf8(raw) ? flags | UTF8_FLAG : flags, raw, [...extraFields], true)
}

/**
 * The path without `.` and empty segments and without a trailing slash; '' for the archive's own root.
 * Throws `ArchiveRefused` for everything that could leave the target directory or that Linux cannot store.
 */
export function cleanPath(name: string, maxPathBytes: number): string {
  const refuse = (why: string): never => {
    throw new ArchiveRefused('bad-path', why, name)
  }
  if (name.includes('\0')) refuse('A path contains a NUL byte')
  if (name.includes('\\')) refuse('A path contains a backslash')
  if (name.startsWith('/') || /^[a-zA-Z]:/.test(name)) refuse('A path is absolute')
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.')
  for (const segment of segments) {
    if (segment === '..') refuse('A path leads upwards')
    // Short names are the rule; counting bytes is only worth it for the others.
    if (segment.length > MAX_NAME_BYTES / 3 && Buffer.byteLength(segment) > MAX_NAME_BYTES) {
      refuse(`A name is longer than ${MAX_NAME_BYTES} bytes`)
    }
  }
  const path = segments.join('/')
  if (Buffer.byteLength(path) > maxPathBytes) refuse(`A path is longer than ${maxPathBytes} bytes`)
  return path
}

export const parentOf = (path: string): string => {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '' : path.slice(0, slash)
}
