/** What it costs to have something durable before the answer, embedded and in PostgreSQL, measured in turns. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { createEventQueues } from '#data-plane/events/event-queues.ts'
import { systemClock as clock } from '#kernel/clock.ts'
import { seededRandom } from '#kernel/random.ts'
import type { Store } from '#store/port.ts'
import { openPostgresStore } from '#store/postgres/postgres-store.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

import { startPostgres } from '../test/support/postgres.ts'
import { median } from './measure.ts'

const PAYLOAD = Buffer.alloc(1024, 'x')

interface Rate {
  readonly perSecond: number
  readonly p50Ms: number
}

/** As many at a time as `inFlight`, for so long. */
async function rateOf(
  inFlight: number,
  durationMs: number,
  run: (n: number) => Promise<unknown>,
): Promise<Rate> {
  const times: number[] = []
  const begun = clock.monotonic()
  let n = 0
  const worker = async () => {
    while (clock.monotonic() - begun < durationMs) {
      const at = clock.monotonic()
      await run(n++)
      times.push(clock.monotonic() - at)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  return { perSecond: (1000 * times.length) / (clock.monotonic() - begun), p50Ms: median(times) }
}

export interface StoreResult {
  readonly name: string
  readonly sqlite: Rate
  readonly postgres: Rate
  /** Median over the rounds. */
  readonly ratio: number
}

export async function measureStores(options: {
  readonly rounds: number
  readonly durationMs: number
}): Promise<readonly StoreResult[]> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-stores-'))
  const server = await startPostgres()
  const stores: Record<'sqlite' | 'postgres', Store> = {
    sqlite: await openSqliteStore({ directory, clock }),
    postgres: await openPostgresStore({ url: server.url, clock }),
  }
  const queuesOf = async ({ queueLog, leases }: Store) => {
    const queues = createEventQueues({ queueLog, leases, clock, random: seededRandom(1) })
    await queues.start()
    return queues
  }
  const queues = { sqlite: await queuesOf(stores.sqlite), postgres: await queuesOf(stores.postgres) }
  const enqueue = (driver: keyof typeof stores) => (n: number) =>
    queues[driver].enqueue({
      target: { account: '000000000000', region: 'us-east-1', name: `f${n % 500}` },
      qualifier: undefined,
      requestId: `request-${n}`,
      payload: PAYLOAD,
      acceptedAt: clock.now(),
      functionErrors: 0,
      attempts: 0,
    })
  const write = (driver: keyof typeof stores) => (n: number) =>
    stores[driver].meta.txn([{ key: `bench/${n % 1000}`, doc: { n, text: 'x'.repeat(1000) } }])
  const all = [
    { name: 'durable enqueue of 1 KiB, 1 in flight', inFlight: 1, run: enqueue },
    { name: 'durable enqueue of 1 KiB, 32 in flight', inFlight: 32, run: enqueue },
    { name: 'document written, 1 in flight', inFlight: 1, run: write },
    { name: 'document written, 32 in flight', inFlight: 32, run: write },
  ]
  try {
    const results: StoreResult[] = []
    for (const { name, inFlight, run } of all) {
      const measured: { sqlite: Rate; postgres: Rate }[] = []
      for (let round = 0; round < options.rounds; round++) {
        const sqlite = await rateOf(inFlight, options.durationMs, run('sqlite'))
        measured.push({ sqlite, postgres: await rateOf(inFlight, options.durationMs, run('postgres')) })
      }
      const ratios = measured.map(({ sqlite, postgres }) => postgres.perSecond / sqlite.perSecond)
      const ratio = median(ratios)
      const middle = measured[ratios.indexOf(ratio)] ?? measured[0]
      if (middle) results.push({ name, ratio, ...middle })
    }
    return results
  } finally {
    await queues.sqlite.stop()
    await queues.postgres.stop()
    await stores.sqlite.close()
    await stores.postgres.close()
    await server.remove()
    rmSync(directory, { recursive: true, force: true })
  }
}
