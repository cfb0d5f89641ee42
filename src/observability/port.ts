/** Where logs and metrics of functions leave the invoke path: bounded buffers, never awaited. */

export interface LogEvent {
  /** Wall-clock milliseconds. */
  readonly timestamp: number
  /** One event, without the closing newline. */
  readonly message: string
}

/** Takes what functions print. Never blocks and never throws: when its buffer is full it drops and counts. */
export interface LogSink {
  append(entry: {
    readonly account: string
    readonly region: string
    readonly group: string
    readonly stream: string
    readonly events: readonly LogEvent[]
  }): void
}

export type MetricLabels = Readonly<Record<string, string>>

/** Counters and durations. Names are Prometheus names; label sets must stay small. */
export interface Metrics {
  count(name: string, by?: number, labels?: MetricLabels): void
  gauge(name: string, value: number, labels?: MetricLabels): void
  observe(name: string, value: number, labels?: MetricLabels): void
}

/** What the program says about itself, one JSON object a line. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}
