/** The invocation record that destinations get. Members, their order and their absence as recorded from AWS. */
import { functionArn, LATEST } from '#contracts/arn.ts'
import type { AsyncOutcome, LastAnswer } from '#data-plane/destinations/port.ts'

/** As records name it: with the qualifier of the request, or `$LATEST`. */
export const recordedArn = ({ event }: AsyncOutcome) => functionArn(event.target, event.qualifier ?? LATEST)

/** JSON as it is; anything else has no place in a JSON document. */
function jsonText(payload: Uint8Array): string | undefined {
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
  try {
    JSON.parse(text)
    return text
  } catch {
    return undefined
  }
}

const responseContext = ({ statusCode, executedVersion, functionError }: LastAnswer) =>
  JSON.stringify({ statusCode, executedVersion, functionError })

/** What a record says when the function's answer is no JSON (a shape that was seen, its text unverified). */
const UNREADABLE = JSON.stringify({
  statusCode: 400,
  errorCode: 'InvalidRequestContentException',
  errorMessage: 'The function response payload could not be parsed as JSON.',
})

/**
 * How often the function ran, refusals not counted. After a success AWS has been seen to say 1 whatever happened before,
 * and also to say more; here it is the real number.
 */
const invokeCount = ({ event, condition }: AsyncOutcome) =>
  event.functionErrors + (condition === 'Success' ? 1 : 0)

/**
 * The record as JSON text: payloads are put in as they are, byte by byte. With `withoutPayloads` they are left out, for
 * targets that take no messages of that size.
 */
export function invocationRecord(
  outcome: AsyncOutcome,
  now: number,
  options: { readonly withoutPayloads?: boolean } = {},
): string {
  const { event, condition, answer } = outcome
  const context = JSON.stringify({
    requestId: event.requestId,
    functionArn: recordedArn(outcome),
    condition,
    approximateInvokeCount: invokeCount(outcome),
  })
  let text = `{"version":"1.0","timestamp":"${new Date(now).toISOString()}","requestContext":${context}`
  if (!options.withoutPayloads) text += `,"requestPayload":${jsonText(event.payload) ?? 'null'}`
  if (answer) {
    text += `,"responseContext":${responseContext(answer)}`
    if (answer.payload && !options.withoutPayloads) {
      const response = jsonText(answer.payload)
      text += response === undefined ? `,"deliveryError":${UNREADABLE}` : `,"responsePayload":${response}`
    }
  }
  return `${text}}`
}

/** `aws/lambda/async/NAME/YYYY/MM/DD/YYYY-MM-DDTHH.MM.SS-UUID` (developer guide). */
export function recordKey(outcome: AsyncOutcome, now: number, uuid: string): string {
  const [day = '', time = ''] = new Date(now).toISOString().split('T')
  const stamp = `${day}T${time.slice(0, 8).replaceAll(':', '.')}`
  return `aws/lambda/async/${outcome.event.target.name}/${day.replaceAll('-', '/')}/${stamp}-${uuid}`
}
