/** What a dead-letter queue gets: the event as it was sent, and three attributes about its end. */
import type { AsyncOutcome } from '#data-plane/destinations/port.ts'

export interface MessageAttribute {
  readonly DataType: 'String' | 'Number'
  readonly StringValue: string
}

/** "The first 1 KB of the error message" (developer guide). */
const MAX_MESSAGE_BYTES = 1024
/** As AWS writes it, the missing blank included (seen). */
const ZERO_CONCURRENCY =
  'Function not invoked. Function isconfigured with zero reserved concurrent executions'

/** Cut at a character, since attributes are UTF-8; without what queues refuse (SQS: XML's characters only). */
function attributeText(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are the characters that have to go
  const allowed = text.replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '')
  const bytes = Buffer.from(allowed)
  if (bytes.byteLength <= MAX_MESSAGE_BYTES) return allowed
  return new TextDecoder().decode(bytes.subarray(0, MAX_MESSAGE_BYTES), { stream: true })
}

function errorMessage({ condition, answer }: AsyncOutcome): string | undefined {
  if (condition === 'ZeroReservedConcurrency') return ZERO_CONCURRENCY
  if (!answer?.payload) return answer?.message
  try {
    const document: unknown = JSON.parse(Buffer.from(answer.payload).toString('utf8'))
    const message = (document as { errorMessage?: unknown } | null)?.errorMessage
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}

/** Names and types as recorded from AWS. A queue takes no attribute without a value, so an empty message is left out. */
export function deadLetterAttributes(outcome: AsyncOutcome): Readonly<Record<string, MessageAttribute>> {
  const { condition, answer, event } = outcome
  const message = attributeText(errorMessage(outcome) ?? '')
  return {
    RequestID: { DataType: 'String', StringValue: event.requestId },
    ...(answer &&
      condition !== 'ZeroReservedConcurrency' && {
        ErrorCode: { DataType: 'Number' as const, StringValue: String(answer.statusCode) },
      }),
    ...(message !== '' && { ErrorMessage: { DataType: 'String' as const, StringValue: message } }),
  }
}

export const deadLetterBody = ({ event }: AsyncOutcome): string => Buffer.from(event.payload).toString('utf8')
