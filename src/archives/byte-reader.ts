/** A stream of bytes, read in pieces of a known length. */
import { ArchiveRefused } from '#archives/archive-refused.ts'

export interface ByteReader {
  /** Exactly `length` bytes, or undefined at the end of the stream. Throws `ArchiveRefused` in between. Valid until the next call. */
  take(length: number): Promise<Uint8Array | undefined>
  /** The next `length` bytes as they come, not copied. All of them must be read before anything else is. */
  pieces(length: number): AsyncGenerator<Uint8Array>
  skip(length: number): Promise<void>
  /** Reads to the end. */
  drain(): Promise<void>
}

export const cutOff = () => new ArchiveRefused('damaged', 'The archive is cut off')

export function createByteReader(chunks: AsyncIterable<Uint8Array>): ByteReader {
  const source = chunks[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array()

  /** False at the end. */
  const more = async () => {
    while (rest.byteLength === 0) {
      const next = await source.next()
      if (next.done) return false
      rest = next.value
    }
    return true
  }
  const cut = (length: number) => {
    const piece = rest.subarray(0, length)
    rest = rest.subarray(length)
    return piece
  }
  async function* pieces(length: number) {
    for (let left = length; left > 0;) {
      if (!(await more())) throw cutOff()
      const piece = cut(left)
      left -= piece.byteLength
      yield piece
    }
  }

  return {
    async take(length) {
      if (length === 0) return new Uint8Array()
      if (!(await more())) return undefined
      if (rest.byteLength >= length) return cut(length)
      const whole = new Uint8Array(length)
      let filled = 0
      for await (const piece of pieces(length)) {
        whole.set(piece, filled)
        filled += piece.byteLength
      }
      return whole
    },
    pieces,
    async skip(length) {
      for (let left = length; left > 0;) {
        if (!(await more())) throw cutOff()
        left -= cut(left).byteLength
      }
    },
    async drain() {
      while (await more()) rest = new Uint8Array()
    },
  }
}
