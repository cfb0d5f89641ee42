/** How processes end, as both sides of the spawner say it. */
import { constants } from 'node:os'

export interface ExitStatus {
  readonly code: number | null
  /** Name such as `SIGKILL`. */
  readonly signal: string | null
}

const NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

export function signalName(signal: number | null): string | null {
  return signal === null ? null : (NAMES.get(signal) ?? `SIG${signal}`)
}
