/** Where and how a function's log is written. */
import { invalidParameter } from '#contracts/errors.ts'
import type { LoggingConfig } from '#contracts/function.ts'

export interface LoggingRequest {
  readonly LogFormat?: string | undefined
  readonly LogGroup?: string | undefined
  readonly ApplicationLogLevel?: string | undefined
  readonly SystemLogLevel?: string | undefined
}

/** What a function without any settings of its own has (recorded from AWS). */
export const defaultLogging = (functionName: string): LoggingConfig => ({
  format: 'Text',
  group: `/aws/lambda/${functionName}`,
})

/**
 * The settings after a request: members that it leaves out stay, JSON has the level INFO for both kinds until told
 * otherwise, and Text has no levels (recorded from AWS).
 */
export function changedLogging(before: LoggingConfig, request: LoggingRequest): LoggingConfig {
  const format = (request.LogFormat ?? before.format) === 'JSON' ? 'JSON' : 'Text'
  const group = request.LogGroup || before.group
  if (format === 'Text') {
    if (request.ApplicationLogLevel !== undefined || request.SystemLogLevel !== undefined) {
      // Text from memory of AWS's behaviour, unverified.
      throw invalidParameter(
        'LogLevel is not supported when LogFormat is set to "Text". Remove LogLevel from your request or change the LogFormat to "JSON" and try again.',
      )
    }
    return { format, group }
  }
  return {
    format,
    group,
    applicationLevel: request.ApplicationLogLevel ?? before.applicationLevel ?? 'INFO',
    systemLevel: request.SystemLogLevel ?? before.systemLevel ?? 'INFO',
  }
}
