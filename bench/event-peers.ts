/**
 * The same cycle (store, hand out, delete; 32 at a time, 1 KiB each, flushed before it is acknowledged) with what people
 * build queues on: PostgreSQL with SKIP LOCKED, Redis Streams. Each is left out, with the reason, where it is not installed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Pool } from 'pg'

import { noPostgres, startPostgres } from '../test/support/postgres.ts'

export interface QueuePeer {
  readonly name: string
  readonly perSecond: number
}

const IN_FLIGHT = 32
const CONSUMERS = 4
const BATCH = 32
const CONNECTIONS = 16
const VALUE = 'p'.repeat(1024)

/** Closed loops of producers; consumers call `done` with what they have deleted. */
async function measure(
  durationMs: number,
  produce: (id: string) => Promise<unknown>,
  consume: (done: (id: string) => void, isOver: () => boolean) => Promise<void>,
): Promise<number> {
  const waiting = new Map<string, () => void>()
  const began = performance.now()
  const isOver = () => performance.now() - began >= durationMs
  let [next, count] = [0, 0]
  const producer = async () => {
    while (!isOver()) {
      const id = `m${next++}`
      const ended = new Promise<void>((resolve) => waiting.set(id, resolve))
      await produce(id)
      await ended
      count++
    }
  }
  const producers = Promise.all(Array.from({ length: IN_FLIGHT }, producer))
  let producing = true
  const done = (id: string) => {
    waiting.get(id)?.()
    waiting.delete(id)
  }
  const consumers = Promise.all(
    Array.from({ length: CONSUMERS }, () => consume(done, () => isOver() && !producing)),
  )
  await producers
  producing = false
  const rate = (count * 1000) / (performance.now() - began)
  await consumers
  return rate
}

export async function postgresQueue(durationMs: number): Promise<QueuePeer> {
  if (noPostgres) throw new Error(noPostgres)
  const server = await startPostgres()
  const pool = new Pool({ connectionString: server.url, max: CONNECTIONS + CONSUMERS })
  try {
    await pool.query(
      'create table q (id bigserial primary key, name text, visible_at timestamptz not null default now(), body text)',
    )
    const perSecond = await measure(
      durationMs,
      (id) => pool.query('insert into q (name, body) values ($1, $2)', [id, VALUE]),
      async (done, isOver) => {
        while (!isOver()) {
          const { rows } = await pool.query<{ id: string; name: string }>(
            `update q set visible_at = now() + interval '30 s' where id in (select id from q where visible_at <= now()
             order by id limit ${BATCH} for update skip locked) returning id, name`,
          )
          if (rows.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
          else await pool.query('delete from q where id = any($1::bigint[])', [rows.map(({ id }) => id)])
          for (const { name } of rows) done(name)
        }
      },
    )
    return { name: 'PostgreSQL, SKIP LOCKED', perSecond }
  } finally {
    await pool.end()
    await server.remove()
  }
}

type Reply = string | number | null | readonly Reply[]

/** As much of Redis's protocol as a stream needs: commands as arrays, replies in the order of the commands. */
function redisClient(socket: Socket) {
  const waiting: ((reply: Reply) => void)[] = []
  let buffer: Buffer = Buffer.alloc(0)
  const line = (at: number) => {
    const end = buffer.indexOf('\r\n', at)
    return end < 0 ? undefined : { text: buffer.toString('utf8', at + 1, end), next: end + 2 }
  }
  const parse = (at: number): { readonly reply: Reply; readonly next: number } | undefined => {
    const head = line(at)
    if (!head) return undefined
    const kind = String.fromCharCode(buffer[at] ?? 0)
    if (kind === '+') return { reply: head.text, next: head.next }
    if (kind === ':') return { reply: Number(head.text), next: head.next }
    if (kind === '-') throw new Error(head.text)
    const length = Number(head.text)
    if (length < 0) return { reply: null, next: head.next }
    if (kind === '$') {
      const end = head.next + length
      return buffer.length < end + 2
        ? undefined
        : { reply: buffer.toString('utf8', head.next, end), next: end + 2 }
    }
    const items: Reply[] = []
    let next = head.next
    for (let n = 0; n < length; n++) {
      const item = parse(next)
      if (!item) return undefined
      items.push(item.reply)
      next = item.next
    }
    return { reply: items, next }
  }
  socket.on('data', (chunk: Buffer) => {
    buffer = buffer.length === 0 ? chunk : Buffer.concat([buffer, chunk])
    for (
      let found = buffer.length > 0 ? parse(0) : undefined;
      found;
      found = buffer.length > 0 ? parse(0) : undefined
    ) {
      buffer = buffer.subarray(found.next)
      waiting.shift()?.(found.reply)
    }
  })
  return (...words: readonly string[]): Promise<Reply> => {
    socket.write(
      `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`,
    )
    return new Promise((resolve) => waiting.push(resolve))
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

export async function redisQueue(durationMs: number): Promise<QueuePeer> {
  if (spawnSync('redis-server', ['--version']).status !== 0)
    throw new Error('no redis-server here (package redis-server)')
  const directory = mkdtempSync(join(tmpdir(), 'lambent-redis-bench-'))
  const port = await freePort()
  const settings = { port, bind: '127.0.0.1', dir: directory, appendonly: 'yes', appendfsync: 'always' }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  const child = spawn('redis-server', [...args, '--save', ''], { stdio: 'ignore' })
  const sockets: Socket[] = []
  const open = async () => {
    for (let attempt = 0; ; attempt++) {
      const socket = connect(port, '127.0.0.1')
      try {
        await once(socket, 'connect')
        sockets.push(socket)
        return redisClient(socket)
      } catch (error) {
        if (attempt > 100) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }
  try {
    const send = await open()
    await send('XGROUP', 'CREATE', 'q', 'g', '$', 'MKSTREAM')
    let consumer = 0
    const perSecond = await measure(
      durationMs,
      (id) => send('XADD', 'q', '*', 'name', id, 'body', VALUE),
      async (done, isOver) => {
        const ask = await open()
        const me = `c${consumer++}`
        while (!isOver()) {
          const reply = await ask(
            'XREADGROUP',
            'GROUP',
            'g',
            me,
            'COUNT',
            String(BATCH),
            'BLOCK',
            '50',
            'STREAMS',
            'q',
            '>',
          )
          const messages = ((reply as Reply[][] | null)?.[0]?.[1] ?? []) as readonly (readonly [
            string,
            readonly string[],
          ])[]
          if (messages.length === 0) continue
          const ids = messages.map(([id]) => id)
          await Promise.all([ask('XACK', 'q', 'g', ...ids), ask('XDEL', 'q', ...ids)])
          for (const [, [, name = '']] of messages) done(name)
        }
      },
    )
    return { name: 'Redis Streams, appendfsync always', perSecond }
  } finally {
    for (const socket of sockets) socket.destroy()
    child.kill('SIGKILL')
    await once(child, 'exit')
    rmSync(directory, { recursive: true, force: true })
  }
}
