/** The platform's events as records: what the JSON log format and the Telemetry API are made of. */
import type { InvocationTrace } from '#data-plane/worker/log/invocation-trace.ts'
import type {
  ExtensionReport,
  FailureStatus,
  InitReport,
  InvocationReport,
  PlatformSubject,
  RestoreReport,
  StartedInvocation,
  SubscriptionReport,
} from '#data-plane/worker/log/platform-lines.ts'
import { MIB } from '#kernel/units.ts'

export type SystemLevel = 'DEBUG' | 'INFO' | 'WARN'

export interface PlatformRecord {
  /** With the prefix `platform.`. */
  readonly type: string
  /** The system log level from which on the log has it. Source: telemetry documentation of AWS. */
  readonly level: SystemLevel
  readonly record: object
}

export interface PlatformRecords {
  initStart(): PlatformRecord
  initRuntimeDone(failure: FailureStatus | undefined): PlatformRecord
  initReport(report: InitReport): PlatformRecord
  restoreStart(): PlatformRecord
  restoreRuntimeDone(failure: FailureStatus | undefined): PlatformRecord
  restoreReport(report: RestoreReport): PlatformRecord
  start(invocation: StartedInvocation): PlatformRecord
  runtimeDone(
    report: Pick<InvocationReport, 'requestId' | 'durationMs' | 'failure' | 'trace'>,
  ): PlatformRecord
  report(report: InvocationReport): PlatformRecord
  extension(report: ExtensionReport): PlatformRecord
  subscription(report: SubscriptionReport): PlatformRecord
}

/** Microseconds are what AWS's numbers carry (recorded: 463.512). */
const rounded = (durationMs: number) => Math.round(durationMs * 1000) / 1000

/** Member `tracing` of a record (Telemetry API reference, TraceContext). */
const tracing = (trace: InvocationTrace | undefined) =>
  trace && { tracing: { spanId: trace.segmentId, type: 'X-Amzn-Trace-Id', value: trace.header } }

const statusMembers = (failure: FailureStatus | undefined) => failure ?? { status: 'success' }

export function createPlatformRecords(subject: PlatformSubject): PlatformRecords {
  const { initializationType } = subject
  const of = (type: string, level: SystemLevel, record: object): PlatformRecord => ({
    type: `platform.${type}`,
    level,
    record,
  })
  return {
    initStart: () =>
      of('initStart', subject.runtimeVersion === undefined ? 'DEBUG' : 'INFO', {
        initializationType,
        phase: 'init',
        runtimeVersion: subject.runtimeVersion,
        runtimeVersionArn: subject.runtimeVersionArn,
        functionName: subject.functionName,
        functionVersion: subject.version,
        instanceId: subject.logStream,
        instanceMaxMemory: subject.memoryMiB * MIB,
      }),
    initRuntimeDone: (failure) =>
      of('initRuntimeDone', failure ? 'WARN' : 'DEBUG', {
        initializationType,
        phase: 'init',
        ...statusMembers(failure),
      }),
    initReport: ({ phase, durationMs, failure }) =>
      of('initReport', failure ? 'WARN' : initializationType === 'on-demand' ? 'DEBUG' : 'INFO', {
        initializationType,
        phase,
        ...statusMembers(failure),
        metrics: { durationMs: rounded(durationMs) },
      }),
    restoreStart: () =>
      of('restoreStart', subject.runtimeVersion === undefined ? 'DEBUG' : 'INFO', {
        runtimeVersion: subject.runtimeVersion,
        runtimeVersionArn: subject.runtimeVersionArn,
        functionName: subject.functionName,
        functionVersion: subject.version,
        instanceId: subject.logStream,
        instanceMaxMemory: subject.memoryMiB * MIB,
      }),
    restoreRuntimeDone: (failure) =>
      of('restoreRuntimeDone', failure ? 'WARN' : 'DEBUG', statusMembers(failure)),
    restoreReport: ({ durationMs, failure }) =>
      of('restoreReport', failure ? 'WARN' : 'INFO', {
        ...statusMembers(failure),
        metrics: { durationMs: rounded(durationMs) },
      }),
    start: ({ requestId, tenantId, trace }) =>
      of('start', 'INFO', {
        requestId,
        functionArn: subject.functionArn,
        version: subject.version,
        ...(tenantId !== undefined && { tenantId }),
        ...tracing(trace),
      }),
    runtimeDone: ({ requestId, durationMs, failure, trace }) =>
      of('runtimeDone', failure ? 'WARN' : 'DEBUG', {
        requestId,
        ...statusMembers(failure),
        metrics: { durationMs: rounded(durationMs) },
        ...tracing(trace),
      }),
    report: (report) =>
      of('report', report.failure ? 'WARN' : 'INFO', {
        requestId: report.requestId,
        metrics: {
          durationMs: rounded(report.durationMs),
          billedDurationMs: report.billedDurationMs,
          memorySizeMB: report.memorySizeMiB,
          maxMemoryUsedMB: report.maxMemoryUsedMiB,
          ...(report.initDurationMs !== undefined && { initDurationMs: rounded(report.initDurationMs) }),
          ...(report.restore && {
            restoreDurationMs: rounded(report.restore.durationMs),
            billedRestoreDurationMs: report.restore.billedMs,
          }),
        },
        ...statusMembers(report.failure),
        ...tracing(report.trace),
      }),
    extension: ({ name, state, events, errorType }) =>
      of('extension', 'INFO', { name, state, events, ...(errorType !== undefined && { errorType }) }),
    subscription: ({ name, state, types }) => of('telemetrySubscription', 'INFO', { name, state, types }),
  }
}
