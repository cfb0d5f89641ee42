import type { InvocationTrace } from '#data-plane/worker/log/invocation-trace.ts'
import type { FailureStatus, PlatformLines, PlatformSubject } from '#data-plane/worker/log/platform-lines.ts'
import { MIB } from '#kernel/units.ts'

type SystemLevel = 'DEBUG' | 'INFO' | 'WARN'
const WEIGHT: Readonly<Record<SystemLevel, number>> = { DEBUG: 0, INFO: 1, WARN: 2 }

/** Microseconds are what AWS's numbers carry (recorded: 463.512). */
const rounded = (durationMs: number) => Math.round(durationMs * 1000) / 1000

/** Member `tracing` of a record (Telemetry API reference, TraceContext). */
const tracing = (trace: InvocationTrace | undefined) =>
  trace && { tracing: { spanId: trace.segmentId, type: 'X-Amzn-Trace-Id', value: trace.header } }

const statusMembers = (failure: FailureStatus | undefined) => failure ?? { status: 'success' }

/**
 * The platform's records of the JSON format, those at or above the function's system log level only.
 * Which record has which level: telemetry documentation of AWS (lambda-facts 2.5).
 */
export function createJsonLines(subject: PlatformSubject, systemLevel = 'INFO'): PlatformLines {
  const least = WEIGHT[systemLevel as SystemLevel] ?? WEIGHT.INFO
  const { initializationType } = subject
  const write = (type: string, level: SystemLevel, now: number, record: object) =>
    WEIGHT[level] < least
      ? undefined
      : JSON.stringify({ time: new Date(now).toISOString(), type: `platform.${type}`, record })

  return {
    initStart: (now) =>
      write('initStart', subject.runtimeVersion === undefined ? 'DEBUG' : 'INFO', now, {
        initializationType,
        phase: 'init',
        runtimeVersion: subject.runtimeVersion,
        runtimeVersionArn: subject.runtimeVersionArn,
        functionName: subject.functionName,
        functionVersion: subject.version,
        instanceId: subject.logStream,
        instanceMaxMemory: subject.memoryMiB * MIB,
      }),
    initReport: ({ phase, durationMs, failure }, now) =>
      write('initReport', failure ? 'WARN' : initializationType === 'on-demand' ? 'DEBUG' : 'INFO', now, {
        initializationType,
        phase,
        ...statusMembers(failure),
        metrics: { durationMs: rounded(durationMs) },
      }),
    start: ({ requestId, tenantId, trace }, now) =>
      write('start', 'INFO', now, {
        requestId,
        functionArn: subject.functionArn,
        version: subject.version,
        ...(tenantId !== undefined && { tenantId }),
        ...tracing(trace),
      }),
    // The JSON format says these in platform.report; whether AWS writes anything more is unverified.
    timedOut: () => undefined,
    failed: () => undefined,
    runtimeDone: ({ requestId, durationMs, failure, trace }, now) =>
      write('runtimeDone', failure ? 'WARN' : 'DEBUG', now, {
        requestId,
        ...statusMembers(failure),
        metrics: { durationMs: rounded(durationMs) },
        ...tracing(trace),
      }),
    end: () => undefined,
    report: (report, now) =>
      write('report', report.failure ? 'WARN' : 'INFO', now, {
        requestId: report.requestId,
        metrics: {
          durationMs: rounded(report.durationMs),
          billedDurationMs: report.billedDurationMs,
          memorySizeMB: report.memorySizeMiB,
          maxMemoryUsedMB: report.maxMemoryUsedMiB,
          ...(report.initDurationMs !== undefined && { initDurationMs: rounded(report.initDurationMs) }),
        },
        ...statusMembers(report.failure),
        ...tracing(report.trace),
      }),
  }
}
