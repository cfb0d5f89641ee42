/** Ends the program once: on a signal, or when the launcher that started it is gone. */

const FORCE_EXIT_MS = 20_000

/**
 * Calls `stop` once for the first reason that comes. A second signal, or a stop that takes too long, ends the process at
 * once: everything acknowledged is durable already, so that loses nothing but courtesy.
 */
export function onShutdown(stop: (reason: string) => Promise<void>): void {
  let stopping = false
  const begin = (reason: string) => {
    if (stopping) process.exit(1)
    stopping = true
    setTimeout(() => process.exit(1), FORCE_EXIT_MS).unref()
    stop(reason).then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => begin(signal))
  // Only a program started by the launcher has a channel; without it nothing is lost.
  process.on('disconnect', () => begin('the launcher is gone'))
}
