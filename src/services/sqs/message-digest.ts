/** The MD5 digests by which clients check that everything has arrived, in the form that the developer guide describes. */
import { createHash, hash } from 'node:crypto'

import type { MessageAttributes } from './queue/message.ts'

export const bodyDigest = (body: string) => hash('md5', body)

const TEXT = 1
const BINARY = 2

/** Undefined when there are none. */
export function attributesDigest(attributes: MessageAttributes): string | undefined {
  const names = Object.keys(attributes)
  if (names.length === 0) return undefined
  const md5 = createHash('md5')
  const add = (value: Uint8Array | string) => {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.byteLength)
    md5.update(length).update(bytes)
  }
  for (const name of names.toSorted()) {
    const { type, text, base64 } = attributes[name] ?? { type: '' }
    add(name)
    add(type)
    md5.update(Buffer.of(base64 === undefined ? TEXT : BINARY))
    add(base64 === undefined ? (text ?? '') : Buffer.from(base64, 'base64'))
  }
  return md5.digest('hex')
}
