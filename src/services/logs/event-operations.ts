/** Writing and reading events. */
import type {
  FilterLogEventsRequest,
  FilterLogEventsResponse,
  GetLogEventsRequest,
  GetLogEventsResponse,
  InputLogEvent,
  PutLogEventsRequest,
  PutLogEventsResponse,
  RejectedLogEventsInfo,
} from '@aws-sdk/client-cloudwatch-logs'

import type { Clock } from '#kernel/clock.ts'
import { HOUR_MS, MIB } from '#kernel/units.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { FilterPatternError } from './filter/filter-error.ts'
import { parseFilterPattern } from './filter/filter-pattern.ts'
import { invalidRequest, noSuchGroup, noSuchStream } from './log-errors.ts'
import { groupNamed, identifiedGroup } from './log-names.ts'
import {
  eventId,
  filterToken,
  parseFilterToken,
  parseStreamToken,
  streamToken,
  type Direction,
} from './page-token.ts'
import {
  EVENT_OVERHEAD_BYTES,
  type Boundary,
  type EventPage,
  type EventQuery,
  type GroupKey,
  type LogStorage,
} from './storage/operations.ts'

/** API reference of PutLogEvents. */
const MAX_BATCH_BYTES = MIB
const MAX_EVENT_BYTES = MIB
const MAX_SPAN_MS = 24 * HOUR_MS
const MAX_FUTURE_MS = 2 * HOUR_MS
const MAX_AGE_MS = 14 * 24 * HOUR_MS
/** API reference of GetLogEvents and FilterLogEvents. */
const MAX_PAGE_BYTES = MIB
const MAX_PAGE_EVENTS = 10_000
/** Work for one page of FilterLogEvents, so that a search never holds up what is being written for long. */
const SCAN = { events: 20_000, bytes: 8 * MIB }
/** The same for patterns with a regular expression, which may cost hundreds of steps a character. */
const REGEX_SCAN = { events: 20_000, bytes: MIB }
/** API reference: going backward needs a start time from here on. */
const EARLIEST_BACKWARD = Date.UTC(2024, 0, 1)

const FOREVER = Number.MAX_SAFE_INTEGER
const DAY_MS = 24 * HOUR_MS

export function createEventOperations(deps: {
  readonly storage: LogStorage
  readonly clock: Clock
}): OperationHandlers {
  const { storage, clock } = deps

  /** The time before which the group's events are past their retention. Throws when there is no such group. */
  const oldestKept = async (group: GroupKey): Promise<number> => {
    const found = await storage.call('getGroup', group)
    if (!found) throw noSuchGroup()
    return found.retentionDays === undefined ? 0 : clock.now() - found.retentionDays * DAY_MS
  }

  const read = async (query: EventQuery): Promise<Extract<EventPage, { kind: 'page' }>> => {
    const page = await storage.call('readEvents', query)
    if (page.kind === 'no-group') throw noSuchGroup()
    if (page.kind === 'no-stream') throw noSuchStream()
    return page
  }

  const putLogEvents: OperationHandler<PutLogEventsRequest, PutLogEventsResponse> = async (
    input,
    context,
  ) => {
    const group = groupNamed(context, input.logGroupName)
    const events = (input.logEvents ?? []).map(({ timestamp, message }: InputLogEvent) => ({
      timestamp: Number(timestamp),
      message: String(message),
    }))
    checkBatch(events)
    const now = clock.now()
    const { accepted, rejected } = splitByAge(events, now, await oldestKept(group))
    checkSpan(accepted)
    const result = await storage.call('putEvents', {
      group,
      stream: String(input.logStreamName),
      events: accepted,
      ingestedAt: now,
    })
    if (result === 'no-group') throw noSuchGroup()
    if (result === 'no-stream') throw noSuchStream()
    return {
      nextSequenceToken: eventId({ timestamp: now, sequence: 0 }),
      ...(rejected && { rejectedLogEventsInfo: rejected }),
    }
  }

  const getLogEvents: OperationHandler<GetLogEventsRequest, GetLogEventsResponse> = async (
    input,
    context,
  ) => {
    const group = identifiedGroup(input, context)
    const token = input.nextToken === undefined ? undefined : parseStreamToken(input.nextToken)
    const direction: Direction = token?.direction ?? (input.startFromHead ? 'forward' : 'backward')
    const startTime = Math.max(input.startTime ?? 0, await oldestKept(group))
    const endTime = input.endTime ?? FOREVER
    const page = await read({
      group,
      streams: { names: [String(input.logStreamName)] },
      direction,
      from: token?.from,
      startTime,
      endTime,
      pattern: '',
      limit: input.limit ?? MAX_PAGE_EVENTS,
      maxBytes: MAX_PAGE_BYTES,
      scan: undefined,
    })
    const events = direction === 'forward' ? page.events : page.events.toReversed()
    // Without events both tokens stay where they are, so that a client sees that it is at the end.
    const stay = token?.from ?? { timestamp: startTime, sequence: 0 }
    const first = events[0]
    const last = events.at(-1)
    return {
      events: events.map(({ timestamp, message, ingestedAt }) => ({
        timestamp,
        message,
        ingestionTime: ingestedAt,
      })),
      nextForwardToken: streamToken('forward', last ? behind(last) : stay),
      nextBackwardToken: streamToken('backward', first ?? stay),
    }
  }

  const filterLogEvents: OperationHandler<FilterLogEventsRequest, FilterLogEventsResponse> = async (
    input,
    context,
  ) => {
    const group = identifiedGroup(input, context)
    const { logStreamNames: names, logStreamNamePrefix: prefix } = input
    // Text unverified.
    if (names && prefix !== undefined) {
      throw invalidRequest('logStreamNames and logStreamNamePrefix are mutually exclusive parameters.')
    }
    const pattern = input.filterPattern ?? ''
    checkPattern(pattern)
    const token = parseFilterToken(input.nextToken)
    const direction = token?.direction ?? (input.startFromHead === false ? 'backward' : 'forward')
    if (direction === 'backward' && (input.startTime ?? 0) < EARLIEST_BACKWARD) {
      // Text unverified.
      throw invalidRequest(
        'startFromHead can be false only when startTime is on or after Jan 1, 2024 00:00:00 UTC.',
      )
    }
    const page = await read({
      group,
      streams: names ? { names } : prefix === undefined ? undefined : { prefix },
      direction,
      from: token?.from,
      startTime: Math.max(input.startTime ?? 0, await oldestKept(group)),
      // Unlike in GetLogEvents the end is part of the range.
      endTime: input.endTime === undefined ? FOREVER : Math.min(FOREVER, input.endTime + 1),
      pattern,
      limit: input.limit ?? MAX_PAGE_EVENTS,
      maxBytes: MAX_PAGE_BYTES,
      scan: pattern.includes('%') ? REGEX_SCAN : SCAN,
    })
    return {
      events: page.events.map((event) => ({
        logStreamName: event.stream,
        timestamp: event.timestamp,
        message: event.message,
        ingestionTime: event.ingestedAt,
        eventId: eventId(event),
      })),
      searchedLogStreams: [],
      ...(!page.exhausted && { nextToken: filterToken(direction, page.next) }),
    }
  }

  return { PutLogEvents: putLogEvents, GetLogEvents: getLogEvents, FilterLogEvents: filterLogEvents }
}

const behind = ({ timestamp, sequence }: Boundary): Boundary => ({ timestamp, sequence: sequence + 1 })

function checkPattern(pattern: string): void {
  try {
    parseFilterPattern(pattern)
  } catch (error) {
    throw error instanceof FilterPatternError ? invalidRequest(error.message) : error
  }
}

interface Event {
  readonly timestamp: number
  readonly message: string
}

function checkBatch(events: readonly Event[]): void {
  let batchBytes = 0
  let previous = Number.NEGATIVE_INFINITY
  for (const { timestamp, message } of events) {
    const sizeBytes = Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES
    if (sizeBytes > MAX_EVENT_BYTES) {
      throw invalidRequest(`Log event too large: ${sizeBytes} bytes exceeds limit of ${MAX_EVENT_BYTES}`)
    }
    if (timestamp < previous) {
      throw invalidRequest('Log events in a single PutLogEvents request must be in chronological order.')
    }
    batchBytes += sizeBytes
    previous = timestamp
  }
  // Text from memory of AWS's behaviour, unverified.
  if (batchBytes > MAX_BATCH_BYTES) {
    throw invalidRequest(`Upload too large: ${batchBytes} bytes exceeds limit of ${MAX_BATCH_BYTES}`)
  }
}

function checkSpan(events: readonly Event[]): void {
  const span = (events.at(-1)?.timestamp ?? 0) - (events[0]?.timestamp ?? 0)
  if (span > MAX_SPAN_MS) {
    throw invalidRequest(
      'The batch of log events in a single PutLogEvents request cannot span more than 24 hours.',
    )
  }
}

/** Events are in order, so what is too old stands at the beginning and what is too new at the end. */
function splitByAge(events: readonly Event[], now: number, oldestKept: number) {
  const count = (isSo: (event: Event) => boolean) => events.filter(isSo).length
  const tooOld = count(({ timestamp }) => timestamp < now - MAX_AGE_MS)
  const expired = count(({ timestamp }) => timestamp < oldestKept)
  const tooNew = count(({ timestamp }) => timestamp > now + MAX_FUTURE_MS)
  const rejected: RejectedLogEventsInfo = {
    ...(tooNew > 0 && { tooNewLogEventStartIndex: events.length - tooNew }),
    ...(tooOld > 0 && { tooOldLogEventEndIndex: tooOld }),
    ...(expired > 0 && { expiredLogEventEndIndex: expired }),
  }
  return {
    accepted: events.slice(Math.max(tooOld, expired), events.length - tooNew),
    rejected: Object.keys(rejected).length > 0 ? rejected : undefined,
  }
}
