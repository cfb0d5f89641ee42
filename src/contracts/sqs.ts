/** What the store keeps of SQS: queues of an account and region, and tasks that move messages. */
import type { Scope } from '#contracts/arn.ts'

export interface SqsQueue extends Scope {
  /** With its ending `.fifo`, if it has one. */
  readonly name: string
  /** Of the log that holds its messages; the next number holds what its deduplication remembers. Never used again. */
  readonly number: number
  /** Those that were set, as they were set. */
  readonly attributes: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly modifiedAt: number
  readonly purgedAt?: number
  /** Messages with ids up to this one, in decimal, are gone. */
  readonly purgedThrough?: string
}

/** A queue that was deleted and whose messages may still be in the log. */
export interface SqsRemains {
  readonly number: number
}

export interface SqsMoveTask extends Scope {
  readonly id: string
  /** Name of the dead-letter queue. */
  readonly source: string
  readonly sourceArn: string
  /** Undefined: each message goes back to where it came from. */
  readonly destinationArn?: string
  readonly maxPerSecond?: number
  readonly status: 'RUNNING' | 'CANCELLING' | 'CANCELLED' | 'COMPLETED' | 'FAILED'
  readonly startedAt: number
  readonly moved: number
  readonly toMove: number
  readonly failure?: string
}

const scope = ({ account, region }: Scope) => `${account}/${region}`

export const ALL_SQS_QUEUES = 'sqs-queue/'
export const sqsQueuePrefix = (where: Scope) => `${ALL_SQS_QUEUES}${scope(where)}/`
export const sqsQueueKey = (where: Scope, name: string) => `${sqsQueuePrefix(where)}${name}`
/** The last number that was given to a queue. */
export const SQS_NUMBERS = 'sqs-numbers'
export const SQS_REMAINS = 'sqs-remains/'
export const sqsRemainsKey = (number: number) => `${SQS_REMAINS}${number}`
/** A node that shares the store asks the owner of a queue for it. */
export const SQS_WANTED = 'sqs-wanted/'
export const sqsWantedKey = (number: number) => `${SQS_WANTED}${number}`
export const ALL_SQS_TASKS = 'sqs-task/'
export const sqsTaskPrefix = (where: Scope, source: string) => `${ALL_SQS_TASKS}${scope(where)}/${source}/`
export const sqsTaskKey = (where: Scope, source: string, id: string) => `${sqsTaskPrefix(where, source)}${id}`

const partition = (region: string) =>
  region.startsWith('cn-') ? 'aws-cn' : region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'

export const sqsArn = (where: Scope, name: string) =>
  `arn:${partition(where.region)}:sqs:${where.region}:${where.account}:${name}`

const ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]+):(\d{12}):([\w-]{1,75}(?:\.fifo)?|[\w-]{1,80})$/

/** The queue that an ARN names; undefined when it is none of a queue. */
export function parseSqsArn(arn: string): (Scope & { readonly name: string }) | undefined {
  const [, region, account, name] = ARN.exec(arn) ?? []
  return region === undefined || account === undefined || name === undefined
    ? undefined
    : { region, account, name }
}
