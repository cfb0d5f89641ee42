import type { Clock } from '#kernel/clock.ts'
import { systemClock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }
/** A field's text is cut here, so that a hostile value cannot fill the log. */
const MAX_TEXT = 8192
const MAX_CAUSES = 5

/**
 * One JSON object a line: `time` (ISO), `level`, `message`, then the fields. Errors become their name, message, stack and
 * causes. Never throws; a stream that refuses is the operator's to see.
 */
export function createLogger(options: {
  readonly level: LogLevel
  readonly stream: { write(text: string): unknown }
  readonly clock?: Clock
}): Logger {
  const { level, stream, clock = systemClock } = options
  const log = (at: LogLevel) => (message: string, fields?: Readonly<Record<string, unknown>>) => {
    if (RANK[at] < RANK[level]) return
    const line = { time: new Date(clock.now()).toISOString(), level: at, message: cut(message), ...fields }
    stream.write(`${toJson(line)}\n`)
  }
  return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
}

const cut = (text: string) => (text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text)

function toJson(line: Readonly<Record<string, unknown>>): string {
  try {
    return JSON.stringify(line, (_key, value: unknown) => plain(value))
  } catch (error) {
    // A field that refers to itself, or whose toJSON throws.
    return JSON.stringify({
      time: line['time'],
      level: line['level'],
      message: line['message'],
      fields: String(error),
    })
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return cut(value)
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Error) return describe(value, MAX_CAUSES)
  if (value instanceof Map) return Object.fromEntries(value)
  if (value instanceof Set) return [...value]
  if (value instanceof Uint8Array) return `${value.byteLength} bytes`
  return value
}

function describe(error: Error, depth: number): object {
  const code: unknown = 'code' in error ? error.code : undefined
  return {
    name: error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    stack: error.stack,
    ...(error.cause !== undefined &&
      depth > 0 && {
        cause: error.cause instanceof Error ? describe(error.cause, depth - 1) : String(error.cause),
      }),
  }
}
