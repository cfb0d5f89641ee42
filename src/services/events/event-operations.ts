/** PutEvents and TestEventPattern. */
import type {
  PutEventsCommandInput,
  PutEventsCommandOutput,
  PutEventsRequestEntry,
  TestEventPatternCommandInput,
  TestEventPatternCommandOutput,
} from '@aws-sdk/client-eventbridge'

import { busOf } from '#contracts/events.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'
import type { OperationHandler, OperationHandlers, RequestContext } from '#wire/service.ts'

import { internal, validation } from './events-errors.ts'
import type { BusEvent, Ingest } from './ingest.ts'
import { entryBytes, entryError, eventText, MAX_ENTRIES_BYTES } from './put-request.ts'
import { checkPattern } from './rule-operations.ts'

/** What TestEventPattern asks of an event (API reference). */
const TEST_FIELDS = ['id', 'account', 'source', 'time', 'region', 'resources', 'detail-type'] as const
/** Those that it can do without (recorded). */
const OPTIONAL = new Set(['resources'])

export function createEventOperations(deps: {
  readonly ingest: Ingest
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}): OperationHandlers {
  const { ingest, clock, random, logger } = deps

  const eventOf = (
    entry: PutEventsRequestEntry,
    context: RequestContext,
  ): (BusEvent & { id: string }) | undefined => {
    const bus = busOf(entry.EventBusName, context)
    const id = random.uuid()
    const text = eventText({
      id,
      detailType: entry.DetailType ?? '',
      source: entry.Source ?? '',
      account: context.account,
      region: bus.region,
      timeMs: (entry.Time ?? new Date(clock.now())).getTime(),
      resources: entry.Resources ?? [],
      detail: entry.Detail ?? '',
    })
    return { id, bus, text }
  }

  /**
   * Answers once every delivery is stored. A bus that is not there takes events too, and nothing comes of them (recorded);
   * so does that of somebody else when nobody has asked for permissions.
   */
  const putEvents: OperationHandler<PutEventsCommandInput, PutEventsCommandOutput> = async (
    { Entries = [] },
    context,
  ) => {
    if (Entries.reduce((sum, entry) => sum + entryBytes(entry), 0) > MAX_ENTRIES_BYTES) {
      throw validation('Total size of the entries in the request is over the limit.')
    }
    const events: BusEvent[] = []
    const results = Entries.map((entry) => {
      const error = entryError(entry)
      if (error) return error
      const event = eventOf(entry, context)
      if (!event) return {}
      if (event.bus.account === context.account || context.isAuthorised) events.push(event)
      return { EventId: event.id }
    })
    try {
      await ingest.take(events)
    } catch (error) {
      logger.error('Events could not be stored', { error })
      throw internal(error)
    }
    const failed = results.filter((result) => 'ErrorCode' in result).length
    return { FailedEntryCount: failed, Entries: results } as PutEventsCommandOutput
  }

  const test: OperationHandler<TestEventPatternCommandInput, TestEventPatternCommandOutput> = async ({
    EventPattern = '',
    Event = '',
  }) => {
    const event = testEvent(Event)
    return { Result: checkPattern(EventPattern).matches(event) } as TestEventPatternCommandOutput
  }
  return { PutEvents: putEvents, TestEventPattern: test }
}

/** Texts recorded from AWS. */
function testEvent(text: string): object {
  let event: unknown
  try {
    event = JSON.parse(text)
  } catch {
    throw validation('Parameter Event is not valid.')
  }
  if (event === null || typeof event !== 'object' || Array.isArray(event)) {
    throw validation('Parameter Event is not valid.')
  }
  for (const name of TEST_FIELDS) {
    if (!OPTIONAL.has(name) && !Object.hasOwn(event, name)) throw validation('Parameter Event is not valid.')
  }
  return event
}
