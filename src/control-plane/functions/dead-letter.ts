/** DeadLetterConfig: where events go that a function could not take. */
import { invalidParameter } from '#contracts/errors.ts'

export interface DeadLetterRequest {
  readonly TargetArn?: string | undefined
}

/** Queues and topics (API reference). */
const TARGETS = /^arn:[^:]*:(?:sqs|sns):[^:]+:\d{12}:.+$/

/** The target, or undefined when the request removes it. Refuses other services (rule: developer guide, text unverified). */
export function readDeadLetter({ TargetArn: arn }: DeadLetterRequest): string | undefined {
  if (!arn) return undefined
  if (!TARGETS.test(arn)) {
    throw invalidParameter(`The dead letter target ${arn} is neither an SQS queue nor an SNS topic.`)
  }
  return arn
}
