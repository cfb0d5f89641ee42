/** Cold starts, over connections that are open already: one by one, and many functions at once. */
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'

import { median } from './measure.ts'

const BODY = '{"name":"cold"}'

async function open(endpoint: string): Promise<Socket> {
  const url = new URL(endpoint)
  const socket = connect(Number(url.port), url.hostname)
  socket.setNoDelay(true)
  await once(socket, 'connect')
  return socket
}

interface Cold {
  readonly tookMs: number
  /** What the function's own log says about its init. */
  readonly initMs: number
}

/** One invocation over this connection. Throws when the answer is not the function's. */
function invoke(socket: Socket, name: string): Promise<Cold> {
  return new Promise((resolve, reject) => {
    let text = ''
    const started = performance.now()
    socket.once('error', reject)
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN)
      if (head < 0 || text.length < head + 4 + length) return
      socket.removeAllListeners('data')
      socket.off('error', reject)
      const tookMs = performance.now() - started
      if (text.startsWith('HTTP/1.1 200') && text.includes('hello cold'))
        resolve({ tookMs, initMs: initOf(text) })
      else reject(new Error(`The cold start of ${name} failed: ${text}`))
    })
    socket.write(
      `POST /2015-03-31/functions/${name}/invocations HTTP/1.1\r\nHost: bench\r\nX-Amz-Log-Type: Tail\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
    )
  })
}

function initOf(answer: string): number {
  const tail = /\r\nx-amz-log-result: (\S+)/i.exec(answer)?.[1] ?? ''
  return Number(/Init Duration: ([\d.]+) ms/.exec(Buffer.from(tail, 'base64').toString())?.[1])
}

interface PoolHealth {
  readonly runtime: string
  readonly memoryMiB: number
  readonly rich: boolean
  readonly ready: number
  readonly wanted: number
}

/** Waits until the pool is as full as it wants to be; at once where there is none. */
export async function poolFilled(endpoint: string): Promise<void> {
  for (let round = 0; round < 600; round++) {
    const health = await (await fetch(`${endpoint}/_lambent/health`)).json()
    const { pools } = health as { readonly pools: readonly PoolHealth[] }
    if (pools.every(({ ready, wanted }) => ready >= wanted)) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('The pool does not fill')
}

/** An invocation of each of these functions, one after the other; `prepare` makes sure that it is a cold start. */
export async function coldOneByOne(
  endpoint: string,
  names: readonly string[],
  prepare: (name: string) => Promise<unknown> = () => Promise.resolve(),
): Promise<readonly Cold[]> {
  const times: Cold[] = []
  // A connection of its own is part of no cold start.
  const socket = await open(endpoint)
  for (const name of names) {
    await prepare(name)
    await poolFilled(endpoint)
    times.push(await invoke(socket, name))
  }
  socket.destroy()
  return times
}

/** The first invocation of each of these functions, all at once. */
export async function coldAtOnce(endpoint: string, names: readonly string[]): Promise<readonly Cold[]> {
  const sockets = await Promise.all(names.map(() => open(endpoint)))
  await poolFilled(endpoint)
  const times = await Promise.all(names.map((name, at) => invoke(sockets[at] as Socket, name)))
  for (const socket of sockets) socket.destroy()
  return times
}

export const p50 = (colds: readonly Cold[]) => median(colds.map(({ tookMs }) => tookMs))
export const p50Init = (colds: readonly Cold[]) => median(colds.map(({ initMs }) => initMs))
export const worst = (colds: readonly Cold[]) => Math.max(...colds.map(({ tookMs }) => tookMs))
