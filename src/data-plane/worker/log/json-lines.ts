import type { PlatformLines } from '#data-plane/worker/log/platform-lines.ts'
import type { PlatformRecord, PlatformRecords, SystemLevel } from '#data-plane/worker/log/platform-records.ts'

const WEIGHT: Readonly<Record<SystemLevel, number>> = { DEBUG: 0, INFO: 1, WARN: 2 }

/** The platform's records of the JSON format, those at or above the function's system log level only. */
export function createJsonLines(records: PlatformRecords, systemLevel = 'INFO'): PlatformLines {
  const least = WEIGHT[systemLevel as SystemLevel] ?? WEIGHT.INFO
  const write = ({ type, level, record }: PlatformRecord, now: number) =>
    WEIGHT[level] < least ? undefined : JSON.stringify({ time: new Date(now).toISOString(), type, record })

  return {
    initStart: (now) => write(records.initStart(), now),
    initReport: (report, now) => write(records.initReport(report), now),
    restoreStart: (now) => write(records.restoreStart(), now),
    restoreReport: (report, now) => write(records.restoreReport(report), now),
    start: (invocation, now) => write(records.start(invocation), now),
    // The JSON format says these in platform.report; whether AWS writes anything more is unverified.
    timedOut: () => undefined,
    failed: () => undefined,
    runtimeDone: (report, now) => write(records.runtimeDone(report), now),
    end: () => undefined,
    report: (report, now) => write(records.report(report), now),
    extension: (report, now) => write(records.extension(report), now),
    subscription: (report, now) => write(records.subscription(report), now),
  }
}
