/** A logs service without a disk, in virtual time, called as the door calls it. */
import assert from 'node:assert/strict'

import type {
  FilterLogEventsResponse,
  GetLogEventsResponse,
  PutLogEventsResponse,
} from '@aws-sdk/client-cloudwatch-logs'

import { LambdaError } from '#contracts/errors.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createLogsService } from '#services/logs/create-logs-service.ts'
import type { RequestContext } from '#wire/service.ts'

export const NOW = Date.UTC(2026, 10, 21, 2, 0, 0)
export const DAY_MS = 86_400_000
export const SCOPE = { account: '000000000000', region: 'us-east-1' }
export const ARN = 'arn:aws:logs:us-east-1:000000000000:log-group:'
export const context: RequestContext = {
  ...SCOPE,
  requestId: 'r',
  principal: { account: SCOPE.account, arn: 'arn:aws:iam::000000000000:root', accessKeyId: 'k' },
  endpoint: 'http://127.0.0.1:4566',
  signal: new AbortController().signal,
  traceId: undefined,
}

export async function createTestLogs() {
  const clock = createVirtualClock(NOW)
  const service = createLogsService({ storage: 'memory', clock })
  await service.start()
  const call = async <Output>(operation: string, input: object): Promise<Output> =>
    (await service.handlers[operation]?.(input as never, context)) as Output
  const group = async (name: string, ...streams: readonly string[]) => {
    await call('CreateLogGroup', { logGroupName: name })
    for (const stream of streams) await call('CreateLogStream', { logGroupName: name, logStreamName: stream })
  }
  const put = (logGroupName: string, logStreamName: string, events: readonly (readonly [number, string])[]) =>
    call<PutLogEventsResponse>('PutLogEvents', {
      logGroupName,
      logStreamName,
      logEvents: events.map(([at, message]) => ({ timestamp: NOW + at, message })),
    })
  const get = (input: object) =>
    call<GetLogEventsResponse>('GetLogEvents', { logGroupName: 'g', logStreamName: 's', ...input })
  const filter = (input: object) =>
    call<FilterLogEventsResponse>('FilterLogEvents', { logGroupName: 'g', ...input })
  return { clock, service, call, group, put, get, filter }
}

export const fails = (code: string, message: string) => (reason: unknown) => {
  assert.ok(reason instanceof LambdaError, String(reason))
  assert.deepEqual([reason.code, reason.status, reason.message], [code, 400, message])
  return true
}
export const noGroup = fails('ResourceNotFoundException', 'The specified log group does not exist.')
export const noStream = fails('ResourceNotFoundException', 'The specified log stream does not exist.')
export const invalid = (message: string) => fails('InvalidParameterException', message)
export const texts = (page: {
  readonly events?: readonly { readonly message?: string | undefined }[] | undefined
}) => (page.events ?? []).map(({ message }) => message)
