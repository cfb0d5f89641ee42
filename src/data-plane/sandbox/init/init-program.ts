/**
 * The one program of ours in the root of a container image, which may hold no shell and nothing else that could be
 * started: a few hundred bytes that need no library.
 *
 * - Without arguments it is process 1 of a sandbox: it waits for ever, and ignores SIGCHLD so that the kernel collects
 *   orphans.
 * - With arguments it opens /dev/null as standard input, takes `HOME=--` out of its environment, and becomes the program
 *   that they name; exit code 127 when it can't.
 */

/** The instructions and the data behind them, assembled from `x64.s` and `arm64.s`, which are beside this file. */
export const CODE: Partial<Record<string, string>> = {
  x64:
    'SIsMJEiD+QF0cUyNZCQQSI1UzBBIidNIidVJuEhPTUU9LS0ASItFAEiDxQhIhcB0Dkw5AHTuSIkDSIPDCOvlSIkDSYnVuAMA' +
    'AAAx/w8FSI09awAAADH2uAIAAAAPBUmLPCRMieZMieq4OwAAAA8Fv38AAAC4PAAAAA8FvxEAAABIjTUZAAAAMdJBuggAAAC4' +
    'DQAAAA8FuCIAAAAPBev3kAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAL2Rldi9udWxsAA==',
  arm64:
    '4ANA+R8EAPHAAwBU80MAkXQOAIvhAxSq4gMUquMEAFhEhED4xAAAtIUAQPm/AAPrgP//VCSEAPj6//8XPwAA+QAAgNIoB4DS' +
    'AQAA1GAMgJKBBAAQAgCA0ggHgNIBAADUYAJA+eEDE6riAxSqqBuA0gEAANTgD4DSqAuA0gEAANQgAoDS4QEAEAIAgNIDAYDS' +
    'yBCA0gEAANQAAIDSAQCA0gIAgNIDAIDSKAmA0gEAANT6//8XHyAD1UhPTUU9LS0AAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' +
    'AAAAAAAAAAAvZGV2L251bGwA',
}

/** OCI runtimes add a HOME where none is set; this one stands for none. */
export const NO_HOME = '--'
/** Where the program is in the guest: in a directory where AWS has programs of its own too. */
export const INIT_PATH = '/var/rapid/init'

/** Machines of ELF files (System V ABI). */
const MACHINE: Partial<Record<string, number>> = { x64: 62, arm64: 183 }
const BASE_ADDRESS = 0x400000n
const HEADER_BYTES = 64
const SEGMENT_BYTES = 56
const READ_EXECUTE = 5

/** An executable file: one header, one segment that holds all of it, the code. Undefined for other processors. */
export function initProgram(arch: string = process.arch): Buffer | undefined {
  const machine = MACHINE[arch]
  const source = CODE[arch]
  if (machine === undefined || source === undefined) return undefined
  const code = Buffer.from(source, 'base64')
  const start = HEADER_BYTES + SEGMENT_BYTES
  const size = BigInt(start + code.length)
  const head = Buffer.alloc(start)
  // ELF, 64 bits, little-endian, version 1.
  head.write('7f454c46020101', 'hex')
  head.writeUInt16LE(2, 16)
  head.writeUInt16LE(machine, 18)
  head.writeUInt32LE(1, 20)
  head.writeBigUInt64LE(BASE_ADDRESS + BigInt(start), 24)
  head.writeBigUInt64LE(BigInt(HEADER_BYTES), 32)
  head.writeUInt16LE(HEADER_BYTES, 52)
  head.writeUInt16LE(SEGMENT_BYTES, 54)
  head.writeUInt16LE(1, 56)
  head.writeUInt32LE(1, HEADER_BYTES)
  head.writeUInt32LE(READ_EXECUTE, HEADER_BYTES + 4)
  for (const at of [16, 24]) head.writeBigUInt64LE(BASE_ADDRESS, HEADER_BYTES + at)
  for (const at of [32, 40]) head.writeBigUInt64LE(size, HEADER_BYTES + at)
  head.writeBigUInt64LE(0x1000n, HEADER_BYTES + 48)
  return Buffer.concat([head, code])
}
