/**
 * What a guest prints arrives here straight from it: standard output and error are named pipes that this process
 * reads, descriptor 3 is a socket that the spawner connects here and hands on. Nobody copies bytes in between.
 */
import { constants, mkdirSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'

/** Opens a named pipe for reading; it ends when the last writer is gone. */
export function openPipe(path: string): Socket {
  // Without waiting for a writer: the spawner opens the other end afterwards.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const socket = new Socket({ fd, readable: true, writable: false })
  // A reader's error is its end; nobody is there to be told.
  socket.on('error', () => {})
  return socket
}

export interface ControlDoor {
  readonly path: string
  /** A place for one connection: what it must say first, and the socket once it has. */
  expect(deadlineMs: number): {
    readonly preamble: string
    readonly connected: Promise<Socket>
    cancel(): void
  }
  close(): void
}

const TOKEN_DIGITS = 32
/** Connections that have not yet said who they are. */
const MAX_STRANGERS = 256
const PREAMBLE_DEADLINE_MS = 5000

const SOCKET_NAME = 'control'
const MAX_SOCKET_PATH_BYTES = 107

function doorDirectory(stateDirectory: string): string {
  const wanted = join(stateDirectory, 'door')
  const fits = Buffer.byteLength(join(wanted, SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES
  if (!fits) return mkdtempSync(join(tmpdir(), 'lambent-'))
  // A killed agent leaves its socket behind.
  rmSync(wanted, { recursive: true, force: true })
  mkdirSync(wanted, { mode: 0o700 })
  return wanted
}

/** Listens on a Unix socket in a directory that only this user enters; who connects must know an unguessable token. */
export async function createControlDoor(options: {
  readonly stateDirectory: string
  readonly clock: Clock
  readonly random: Random
}): Promise<ControlDoor> {
  const { clock, random } = options
  const directory = doorDirectory(options.stateDirectory)
  const path = join(directory, SOCKET_NAME)
  const waiting = new Map<string, (socket: Socket) => void>()
  let strangers = 0

  const server = createServer((socket) => {
    socket.on('error', () => {})
    if (strangers >= MAX_STRANGERS) {
      socket.destroy()
      return
    }
    strangers++
    const cancel = clock.after(PREAMBLE_DEADLINE_MS, () => socket.destroy())
    socket.once('close', settle)
    socket.on('readable', onReadable)
    function settle() {
      strangers--
      cancel()
      socket.off('close', settle)
      socket.off('readable', onReadable)
    }
    function onReadable() {
      const bytes = socket.read(TOKEN_DIGITS) as Buffer | null
      if (bytes === null) return
      settle()
      const token = bytes.toString('latin1')
      const take = waiting.get(token)
      waiting.delete(token)
      if (take) take(socket)
      else socket.destroy()
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })

  return {
    path,
    expect(deadlineMs) {
      const preamble = random.hex(TOKEN_DIGITS)
      const { promise, resolve, reject } = Promise.withResolvers<Socket>()
      const cancelTimer = clock.after(deadlineMs, () => {
        waiting.delete(preamble)
        reject(new Error(`The guest's control socket did not connect within ${deadlineMs} ms`))
      })
      waiting.set(preamble, (socket) => {
        cancelTimer()
        resolve(socket)
      })
      // Whoever cancels does not look at the promise any more.
      promise.catch(() => {})
      return {
        preamble,
        connected: promise,
        cancel() {
          cancelTimer()
          waiting.delete(preamble)
          promise.then(
            (socket) => socket.destroy(),
            () => {},
          )
        },
      }
    },
    close() {
      server.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
