/** Hints that documents have changed. They may be lost with a connection; whoever asks for them looks by itself, too. */
import { type Clock, sleep } from '#kernel/clock.ts'
import type { Database } from '#store/postgres/database.ts'

const RECONNECT_MS = 1_000

/** Calls `onNotice` for every notification of the channel, and once for every new connection. Returns what ends it. */
export function listenForChanges(options: {
  readonly database: Database
  readonly channel: string
  readonly clock: Clock
  readonly onNotice: () => void
}): () => Promise<void> {
  const { database, channel, clock, onNotice } = options
  const stopping = new AbortController()
  let hangUp = async () => {}

  const listen = async () => {
    while (!stopping.signal.aborted) {
      try {
        const client = await database.connect()
        const gone = Promise.withResolvers<void>()
        client.on('notification', onNotice)
        client.once('end', gone.resolve)
        hangUp = () => client.end()
        await client.query(`listen "${channel}"`)
        onNotice()
        if (stopping.signal.aborted) await client.end()
        await gone.promise
      } catch {
        // Looking by itself goes on; the pool's client says that the database is away.
      }
      if (!stopping.signal.aborted) await sleep(clock, RECONNECT_MS, stopping.signal).catch(() => {})
    }
  }
  const done = listen()
  return async () => {
    stopping.abort()
    await hangUp().catch(() => {})
    await done
  }
}
