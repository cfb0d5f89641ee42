import type {
  FailureStatus,
  InvocationReport,
  PlatformLines,
  PlatformSubject,
} from '#data-plane/worker/log/platform-lines.ts'

const ms = (value: number) => `${value.toFixed(2)} ms`

const statusFields = (failure: FailureStatus) =>
  failure.status === 'timeout' ? ['Status: timeout'] : ['Status: error', `Error Type: ${failure.errorType}`]

/** The lines of the Text format: INIT_START, INIT_REPORT, EXTENSION, TELEMETRY, START, END, REPORT. */
export function createTextLines(subject: PlatformSubject): PlatformLines {
  return {
    // Not for images, which have no runtime of AWS's (seen in logs of such functions).
    initStart: () =>
      subject.runtimeVersion === undefined
        ? undefined
        : `INIT_START Runtime Version: ${subject.runtimeVersion}\tRuntime Version ARN: ${subject.runtimeVersionArn}`,
    // A successful initialisation is reported by `Init Duration` in REPORT, or not at all.
    initReport: ({ phase, durationMs, failure }) =>
      failure &&
      [`INIT_REPORT Init Duration: ${ms(durationMs)}`, `Phase: ${phase}`, ...statusFields(failure)].join(
        '\t',
      ),
    restoreStart: () =>
      `RESTORE_START Runtime Version: ${subject.runtimeVersion}\tRuntime Version ARN: ${subject.runtimeVersionArn}`,
    restoreReport: ({ durationMs, failure }) =>
      [`RESTORE_REPORT Restore Duration: ${ms(durationMs)}`, ...(failure ? statusFields(failure) : [])].join(
        '\t',
      ),
    start: ({ requestId }) => `START RequestId: ${requestId} Version: ${subject.version}`,
    // AWS's event ends in an empty line.
    timedOut: (requestId, timeoutSeconds, now) =>
      `${new Date(now).toISOString()} ${requestId} Task timed out after ${timeoutSeconds.toFixed(2)} seconds\n`,
    failed: (requestId, message, errorType) => `RequestId: ${requestId} Error: ${message}\n${errorType}`,
    runtimeDone: () => undefined,
    end: (requestId) => `END RequestId: ${requestId}`,
    report: (report) => reportLine(report),
    extension: ({ name, state, events, errorType }) =>
      [
        'EXTENSION',
        `Name: ${name}`,
        `State: ${state}`,
        // Logs of 2023 have a blank behind the comma, older ones none.
        `Events: [${events.join(', ')}]`,
        ...(errorType === undefined ? [] : [`Error Type: ${errorType}`]),
      ].join('\t'),
    subscription: ({ name, state, types }) =>
      ['TELEMETRY', `Name: ${name}`, `State: ${state}`, `Types: [${types.map(capital).join(', ')}]`].join(
        '\t',
      ),
  }
}

const capital = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1)

function reportLine(report: InvocationReport): string {
  const fields = [
    `REPORT RequestId: ${report.requestId}`,
    `Duration: ${ms(report.durationMs)}`,
    `Billed Duration: ${report.billedDurationMs} ms`,
    `Memory Size: ${report.memorySizeMiB} MB`,
    `Max Memory Used: ${report.maxMemoryUsedMiB} MB`,
  ]
  if (report.initDurationMs !== undefined) fields.push(`Init Duration: ${ms(report.initDurationMs)}`)
  if (report.restore) {
    fields.push(`Restore Duration: ${ms(report.restore.durationMs)}`)
    fields.push(`Billed Restore Duration: ${report.restore.billedMs} ms`)
  }
  // Without a status AWS's line ends in a tab, with one it does not (both recorded).
  if (report.failure) fields.push(...statusFields(report.failure))
  else fields.push('')
  const line = fields.join('\t')
  if (!report.trace) return line
  // A line of its own in the same event (developer guide).
  const { traceId, segmentId } = report.trace
  return `${line}\nXRAY TraceId: ${traceId}\tSegmentId: ${segmentId}\tSampled: true\t`
}
