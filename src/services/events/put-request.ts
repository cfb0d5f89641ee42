/** One entry of PutEvents: whether it is well-formed, how large it is, and the event that it becomes. Pure. */
import type { PutEventsRequestEntry } from '@aws-sdk/client-eventbridge'

import type { Scope } from '#contracts/arn.ts'

export interface EntryError {
  readonly ErrorCode: string
  readonly ErrorMessage: string
}

/** All entries of a request together; since January 2026, 256 KB before. */
export const MAX_ENTRIES_BYTES = 1024 * 1024

/** The size as the user guide counts it. */
export function entryBytes({
  Time,
  Source = '',
  DetailType = '',
  Detail = '',
  Resources = [],
}: PutEventsRequestEntry) {
  const texts = [Source, DetailType, Detail, ...Resources]
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time ? 14 : 0)
}

const required = (name: string): EntryError => ({
  ErrorCode: 'InvalidArgument',
  ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
})

/** Texts recorded from AWS. Undefined: the entry is well-formed. */
export function entryError({ Source, DetailType, Detail }: PutEventsRequestEntry): EntryError | undefined {
  if (!Source) return required('Source')
  if (!DetailType) return required('DetailType')
  if (!Detail) return required('Detail')
  if (Source.startsWith('aws.')) {
    return {
      ErrorCode: 'NotAuthorizedForSourceException',
      ErrorMessage: 'Not authorized for the source.',
    }
  }
  return isObjectText(Detail)
    ? undefined
    : { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' }
}

function isObjectText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return value !== null && typeof value === 'object' && !Array.isArray(value)
  } catch {
    return false
  }
}

export interface EventFields extends Scope {
  readonly id: string
  readonly detailType: string
  readonly source: string
  readonly timeMs: number
  readonly resources: readonly string[]
  /** JSON text of an object. */
  readonly detail: string
}

/** The event's text, as targets get it. Numbers of the detail stay as they were written, however many digits they have. */
export function eventText({
  id,
  detailType,
  source,
  account,
  timeMs,
  region,
  resources,
  detail,
}: EventFields): string {
  const head = JSON.stringify({
    version: '0',
    id,
    'detail-type': detailType,
    source,
    account,
    time: timeText(timeMs),
    region,
    resources,
  })
  return `${head.slice(0, -1)},"detail":${withoutSpace(detail)}}`
}

/** Seconds, as all times of events. */
export const timeText = (timeMs: number) => `${new Date(timeMs).toISOString().slice(0, 19)}Z`

const withoutSpace = (json: string) => json.replaceAll(/("[^"\\]*(?:\\.[^"\\]*)*")|\s+/g, '$1')

/** The text of an event that is replayed. */
export const replayedText = (text: string, replayName: string) =>
  // Nothing before it holds such a text: names and times only, with their quotes escaped.
  text.replace(',"resources":[', () => `,"replay-name":${JSON.stringify(replayName)},"resources":[`)
