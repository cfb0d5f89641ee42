/** Whether the kernel would start a file, found out beforehand, so that the failure can be told in AWS's words. */
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

/** Machine of an ELF file (System V ABI): what this processor runs. */
const ELF_MACHINE: Partial<Record<string, number>> = { x64: 62, arm64: 183 }
const ELF_MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46])
/** The interpreter is named in the first page. */
const HEAD_BYTES = 4096
const PT_INTERP = 3

export type ExecutableProblem = 'absent' | 'permission denied' | 'exec format error'

export interface Executable {
  readonly problem: ExecutableProblem | undefined
  /** What starts it: of a script, or of a program with shared libraries. Undefined: itself. */
  readonly interpreter?: string
}

/** `executeBits`: one of them must be set. The path may have been resolved by the caller; links are followed. */
export async function examineExecutable(file: string, executeBits: number): Promise<Executable> {
  try {
    // A pipe would let us wait for whoever writes to it.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK)
    const stats = await handle.stat()
    if (!stats.isFile() || (stats.mode & executeBits) === 0) return { problem: 'permission denied' }
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    const head = buffer.subarray(0, bytesRead)
    if (!runsHere(head)) return { problem: 'exec format error' }
    const interpreter = interpreterOf(head)
    return { problem: undefined, ...(interpreter !== undefined && { interpreter }) }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { problem: 'absent' }
    throw error
  }
}

const isScript = (head: Buffer) => head.subarray(0, 2).toString() === '#!'
const isElf = (head: Buffer) => head.length >= 64 && head.subarray(0, 4).equals(ELF_MAGIC)

/** What the kernel's execve would accept: a script with an interpreter line, or a binary of this machine. */
function runsHere(head: Buffer): boolean {
  if (isScript(head)) return true
  // Other systems' binaries are for their kernels to judge.
  if (process.platform !== 'linux') return true
  if (!isElf(head)) return false
  const littleEndian = head[5] === 1
  const machine = littleEndian ? head.readUInt16LE(18) : head.readUInt16BE(18)
  const own = ELF_MACHINE[process.arch]
  return own === undefined || machine === own
}

function interpreterOf(head: Buffer): string | undefined {
  if (isScript(head)) return /^#![ \t]*([^\s\0]+)/.exec(head.toString('latin1'))?.[1]
  // 64 bits, little-endian, as everything that runs here.
  if (!isElf(head) || head[4] !== 2 || head[5] !== 1) return undefined
  const first = Number(head.readBigUInt64LE(32))
  const [entryBytes, entries] = [head.readUInt16LE(54), head.readUInt16LE(56)]
  for (let at = first; at < first + entries * entryBytes && at + 56 <= head.length; at += entryBytes) {
    if (head.readUInt32LE(at) !== PT_INTERP) continue
    const [from, size] = [Number(head.readBigUInt64LE(at + 8)), Number(head.readBigUInt64LE(at + 32))]
    return from + size <= head.length ? head.toString('latin1', from, from + size - 1) : undefined
  }
  return undefined
}
