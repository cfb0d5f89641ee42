/** The log of one environment: one stream, the platform's lines and the guest's in the order they happened. */
import { functionArn } from '#contracts/arn.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { runtimeVersion, runtimeVersionArn, type RuntimeDescription } from '#contracts/runtime.ts'
import type { Telemetry } from '#data-plane/runtime-api/port.ts'
import { createJsonLines } from '#data-plane/worker/log/json-lines.ts'
import { cutMessage } from '#data-plane/worker/log/line-splitter.ts'
import { createLogTail } from '#data-plane/worker/log/log-tail.ts'
import type {
  ExtensionReport,
  FailureStatus,
  InitReport,
  InvocationReport,
  RestoreReport,
  StartedInvocation,
  SubscriptionReport,
} from '#data-plane/worker/log/platform-lines.ts'
import { createPlatformRecords, type PlatformRecord } from '#data-plane/worker/log/platform-records.ts'
import { createTextLines } from '#data-plane/worker/log/text-lines.ts'
import type { Clock } from '#kernel/clock.ts'
import type { LogEvent, LogSink } from '#observability/port.ts'

/**
 * `YYYY/MM/DD/[$LATEST]HEX` (recorded from AWS). In a group that is not the function's own the name of the function
 * stands before the bracket, so that the streams of several functions can be told apart (Lambda developer guide).
 */
export function logStreamName(version: FunctionVersion, hex: string, now: number): string {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll('-', '/')
  const own = version.logging.group === `/aws/lambda/${version.name}`
  return `${day}/${own ? '' : version.name}[${version.version}]${hex}`
}

export interface EnvironmentLog {
  readonly stream: string
  initStart(): void
  /** The runtime and the function are initialised, or failed to be; extensions may take longer. */
  initRuntimeDone(failure: FailureStatus | undefined): void
  initReport(report: InitReport): void
  restoreStart(): void
  restoreReport(report: RestoreReport): void
  extension(report: ExtensionReport): void
  subscription(report: SubscriptionReport): void
  start(invocation: StartedInvocation): void
  timedOut(requestId: string, timeoutSeconds: number): void
  failed(requestId: string, message: string, errorType: string): void
  /** The runtime has answered; extensions may take longer. */
  runtimeDone(report: Pick<InvocationReport, 'requestId' | 'durationMs' | 'failure' | 'trace'>): void
  end(report: InvocationReport): void
  /** Lines of the guest's standard output and error. */
  lines(messages: readonly string[]): void
  /** Lines that an extension prints. */
  extensionLines(messages: readonly string[]): void
  /** One structured record of a managed runtime. */
  record(event: LogEvent): void
  /** The last 4 KiB since the last call of `takeTail` or `clearTail`. */
  takeTail(): Uint8Array
  clearTail(): void
}

export function createEnvironmentLog(options: {
  readonly version: FunctionVersion
  readonly runtime: RuntimeDescription | undefined
  readonly initializationType: string
  readonly stream: string
  readonly sink: LogSink
  /** Who is told of everything besides the log. */
  readonly telemetry?: Pick<Telemetry, 'active' | 'emit'>
  readonly clock: Clock
}): EnvironmentLog {
  const { version, runtime, sink, clock, stream, telemetry } = options
  const subject = {
    functionName: version.name,
    functionArn: functionArn(version),
    version: version.version,
    initializationType: options.initializationType,
    runtimeVersion: runtime && runtimeVersion(runtime),
    runtimeVersionArn: runtime && runtimeVersionArn(version.region, runtime),
    logStream: stream,
    memoryMiB: version.memoryMiB,
  }
  const records = createPlatformRecords(subject)
  const isJson = version.logging.format === 'JSON'
  const platform = isJson ? createJsonLines(records, version.logging.systemLevel) : createTextLines(subject)
  const tail = createLogTail()
  const address = { account: version.account, region: version.region, group: version.logging.group, stream }

  /** Time of the newest event: events are read back by time, so that it must not run against their order. */
  let newest = 0

  const write = (wanted: number, messages: readonly (string | undefined)[]) => {
    const events: LogEvent[] = []
    const timestamp = Math.max(newest, wanted)
    newest = timestamp
    for (const message of messages) {
      if (message === undefined) continue
      events.push({ timestamp, message })
      tail.add(message)
    }
    if (events.length > 0) sink.append({ ...address, events })
  }

  const tell = ({ type, record }: PlatformRecord) => telemetry?.emit('platform', type, record)
  const print = (category: 'function' | 'extension', messages: readonly string[]) => {
    write(clock.now(), messages)
    if (!telemetry?.active) return
    for (const message of messages) telemetry.emit(category, category, isJson ? parsed(message) : message)
  }

  return {
    stream,
    initStart() {
      const now = clock.now()
      tell(records.initStart())
      const message = platform.initStart(now)
      // Not part of the tail: AWS's tail begins with what the function printed.
      if (message !== undefined) sink.append({ ...address, events: [{ timestamp: now, message }] })
    },
    initRuntimeDone: (failure) => tell(records.initRuntimeDone(failure)),
    initReport(report) {
      tell(records.initReport(report))
      write(clock.now(), [platform.initReport(report, clock.now())])
    },
    restoreStart() {
      const now = clock.now()
      tell(records.restoreStart())
      const message = platform.restoreStart(now)
      if (message !== undefined) sink.append({ ...address, events: [{ timestamp: now, message }] })
    },
    restoreReport(report) {
      tell(records.restoreRuntimeDone(report.failure))
      tell(records.restoreReport(report))
      const message = platform.restoreReport(report, clock.now())
      if (message !== undefined) sink.append({ ...address, events: [{ timestamp: clock.now(), message }] })
    },
    extension(report) {
      tell(records.extension(report))
      write(clock.now(), [platform.extension(report, clock.now())])
    },
    // Subscribers were told by the telemetry itself.
    subscription: (report) => write(clock.now(), [platform.subscription(report, clock.now())]),
    start(invocation) {
      tell(records.start(invocation))
      write(clock.now(), [platform.start(invocation, clock.now())])
    },
    runtimeDone: (report) => tell(records.runtimeDone(report)),
    timedOut: (requestId, timeoutSeconds) =>
      write(clock.now(), [platform.timedOut(requestId, timeoutSeconds, clock.now())]),
    failed: (requestId, message, errorType) =>
      write(clock.now(), [platform.failed(requestId, message, errorType)]),
    end(report) {
      const now = clock.now()
      tell(records.report(report))
      write(now, [
        platform.runtimeDone(report, now),
        platform.end(report.requestId),
        platform.report(report, now),
      ])
    },
    lines: (messages) => print('function', messages),
    extensionLines: (messages) => print('extension', messages),
    // The guest's own time, as far as it can be: a clock that is wrong must not lead the log into the future.
    record({ timestamp, message }) {
      write(Math.min(timestamp, clock.now()), cutMessage(message))
      if (telemetry?.active) telemetry.emit('function', 'function', isJson ? parsed(message) : message)
    },
    takeTail: () => tail.take(),
    clearTail: () => tail.clear(),
  }
}

/** A line of the JSON format is an object for whoever subscribes, if it is one. */
function parsed(message: string): unknown {
  if (!message.startsWith('{')) return message
  try {
    return JSON.parse(message) as unknown
  } catch {
    return message
  }
}
