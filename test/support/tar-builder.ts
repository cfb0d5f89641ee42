/** Tar files as a test wants them, also such as no tar program would write. */
import { createHash } from 'node:crypto'

export interface TarFile {
  readonly name: string
  readonly content?: string | Uint8Array
  /** '0' file, '1' hard link, '2' symbolic link, '3' device, '5' directory. */
  readonly type?: string
  readonly target?: string
  readonly mode?: number
}

const BLOCK = 512

export function tarOf(files: readonly TarFile[]): Buffer {
  const blocks = files.flatMap(({ name, content = '', type = '0', target = '', mode = 0o644 }) => {
    const bytes = Buffer.from(content as string)
    const header = Buffer.alloc(BLOCK)
    header.write(name, 0, 100)
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write(`${(1_700_000_000).toString(8)}\0`, 136)
    header.write(type, 156)
    header.write(target, 157, 100)
    header.write('ustar\x0000', 257)
    header.fill(' ', 148, 156)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    return [header, bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]
  })
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)])
}

export const sha256Of = (bytes: Uint8Array | string) =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`
