/** Polls one queue for one mapping: receives, gathers batches, filters, invokes, deletes what is done with. */
import type { EventSourceMapping } from '#contracts/mapping.ts'
import { MAX_SYNC_PAYLOAD_BYTES } from '#contracts/limits.ts'
import type { Frontend } from '#data-plane/frontend/port.ts'
import { sleep, type Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Semaphore } from '#kernel/semaphore.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import type { Logger, Metrics } from '#observability/port.ts'

import { outcomeOfError } from '../../async-events.ts'
import { createRecordFilter, filteredData, type RecordFilter } from '../record-filter.ts'
import type { SourcePoller } from '../source-poller.ts'
import { doneWith } from './batch-outcome.ts'
import { partsOf, traceOf } from './message-traces.ts'
import type { QueueClient, QueueMessage } from './queue-client.ts'
import { receiversAfter, throttleDelayMs, type Met, type ReceiverLimits } from './receivers.ts'
import { payloadsOf, recordOf } from './sqs-event.ts'

export interface QueuePollerOptions {
  readonly mapping: EventSourceMapping
  readonly arn: string
  /** The mapping's filters. Asked until they can be read: nobody may see records that they would hold back. */
  readonly openFilters: () => Promise<readonly string[] | undefined>
  readonly client: QueueClient
  readonly frontend: Pick<Frontend, 'invoke'>
  /** Batches of all mappings that run at once. */
  readonly places: Semaphore
  /** Most receivers that this host gives to one queue. */
  readonly mostReceivers: number
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
}

const LONG_POLL_SECONDS = 20
const MAX_RECEIVE = 10
const SHORTEST_POLL_MS = 500
const FIRST_BACKOFF_MS = 1_000
/** AWS starts with five and goes up to 1,000; one is enough for a quiet queue here. */
const LEAST_RECEIVERS = 1

interface Queue {
  readonly url: string
  readonly visibilityMs: number
  readonly passes: RecordFilter
}

function limitsOf({ settings }: EventSourceMapping, mostReceivers: number): ReceiverLimits {
  const { provisionedPollers, maximumConcurrency } = settings
  const most = Math.min(mostReceivers, provisionedPollers?.maximum ?? maximumConcurrency ?? mostReceivers)
  return { least: Math.min(most, provisionedPollers?.minimum ?? LEAST_RECEIVERS), most }
}

export function startQueuePoller(options: QueuePollerOptions): SourcePoller {
  const { mapping, arn, client, frontend, places, clock, random, logger, metrics } = options
  const { settings, account, region, functionName, qualifier } = mapping
  const { batchSize, maximumBatchingWindowSeconds: windowSeconds = 0 } = settings
  const limits = limitsOf(mapping, options.mostReceivers)
  const reportsFailures = settings.functionResponseTypes?.includes('ReportBatchItemFailures') ?? false
  /** Nothing more is received. */
  const closing = new AbortController()
  /** What is in hand is abandoned. */
  const stopping = new AbortController()
  const receivers = new Set<Promise<void>>()
  let wanted = limits.least

  const describe = { mapping: mapping.uuid, queue: arn, function: functionName }

  /** The queue's address, and what is let through of it; asked for until they are there. */
  const findQueue = async (): Promise<Queue> => {
    const [, , , , owner = '', name = ''] = arn.split(':')
    const patterns = await persistently('The filters of a queue could not be read', options.openFilters)
    const passes = createRecordFilter(patterns)
    return await persistently('A queue could not be found', async () => {
      const url = await client.queueUrl(name, owner, closing.signal)
      const seconds = await client.visibilityTimeoutSeconds(url, closing.signal)
      return { url, visibilityMs: seconds * 1000, passes }
    })
  }

  const persistently = async <Result>(what: string, run: () => Promise<Result>): Promise<Result> => {
    for (let delayMs = FIRST_BACKOFF_MS; ; delayMs = Math.min(2 * delayMs, MINUTE_MS)) {
      try {
        return await run()
      } catch (error) {
        closing.signal.throwIfAborted()
        metrics.count('lambent_event_source_errors_total', 1, { source: 'sqs' })
        logger.warn(what, { ...describe, error: String(error), againMs: delayMs })
      }
      await sleep(clock, delayMs, closing.signal)
    }
  }

  /** Messages for one batch: the first ones that come, and with a window those that follow within it. */
  const gather = async ({ url }: Queue): Promise<{ messages: readonly QueueMessage[]; since: number }> => {
    const receive = async (max: number, waitSeconds: number) => {
      const asked = clock.monotonic()
      const found = await client.receive(
        url,
        { max: Math.min(MAX_RECEIVE, max), waitSeconds },
        closing.signal,
      )
      const tookMs = clock.monotonic() - asked
      // Not every service waits as it is told to; this one must not be asked without end.
      if (found.length === 0 && tookMs < SHORTEST_POLL_MS) {
        await sleep(clock, SHORTEST_POLL_MS - tookMs, closing.signal)
      }
      return found
    }
    const messages = [
      ...(await persistently('A queue could not be read', () => receive(batchSize, LONG_POLL_SECONDS))),
    ]
    const since = clock.monotonic()
    let sizeBytes = sizeOf(messages)
    while (messages.length > 0 && messages.length < batchSize && sizeBytes < MAX_SYNC_PAYLOAD_BYTES) {
      const leftSeconds = Math.ceil(windowSeconds - (clock.monotonic() - since) / 1000)
      if (leftSeconds <= 0 || closing.signal.aborted) break
      const more = await receive(batchSize - messages.length, Math.min(LONG_POLL_SECONDS, leftSeconds)).catch(
        () => undefined,
      )
      // What was gathered so far is worth more than the rest of the window.
      if (more === undefined) break
      messages.push(...more)
      sizeBytes += sizeOf(more)
    }
    return { messages, since }
  }

  const remove = async ({ url }: Queue, messages: readonly QueueMessage[]) => {
    for (let from = 0; from < messages.length; from += MAX_RECEIVE) {
      const receipts = messages.slice(from, from + MAX_RECEIVE).map(({ ReceiptHandle }) => ReceiptHandle)
      let left: readonly string[] = receipts
      for (let attempt = 0; attempt < DELETE_ATTEMPTS && left.length > 0; attempt++) {
        if (attempt > 0) await sleep(clock, FIRST_BACKOFF_MS * attempt)
        left = await client.remove(url, left).catch(() => left)
      }
      if (left.length > 0) {
        // They come again: a function may see a message twice, here as with AWS.
        logger.warn('Messages could not be deleted from a queue', { ...describe, messages: left.length })
      }
    }
  }

  /** Runs the function; undefined when the batch goes back to the queue. */
  const invoke = async (
    payload: Buffer,
    traceId: string | undefined,
    since: number,
    { visibilityMs }: Queue,
  ) => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await frontend.invoke({
          id: { account, region, name: functionName },
          qualifier,
          requestId: random.uuid(),
          payload,
          ...(traceId !== undefined && { traceId }),
          logType: 'None',
          signal: stopping.signal,
        })
      } catch (error) {
        const outcome = outcomeOfError(error)
        metrics.count('lambent_event_source_invoke_errors_total', 1, { source: 'sqs', outcome })
        const isPassing = outcome === 'throttled' || outcome === 'platform-error'
        const delayMs = isPassing
          ? throttleDelayMs(attempt, clock.monotonic() - since, visibilityMs)
          : undefined
        if (delayMs === undefined || stopping.signal.aborted) {
          logger.warn('A batch went back to its queue', { ...describe, error: String(error) })
          return undefined
        }
        wanted = receiversAfter('throttled', wanted, limits)
        await sleep(clock, delayMs, stopping.signal)
      }
    }
  }

  /** `throttled` when the function can't take any now. */
  const handle = async (queue: Queue, messages: readonly QueueMessage[], since: number): Promise<Met> => {
    const records = messages.map((message) => ({ message, record: recordOf(message, arn) }))
    const isWanted = ({ record }: (typeof records)[number]) =>
      queue.passes({ ...record, body: filteredData(record.body) })
    const [kept, dropped] = [records.filter(isWanted), records.filter((each) => !isWanted(each))]
    metrics.count('lambent_event_source_records_total', messages.length, { source: 'sqs' })
    // As AWS: a message that no filter wants is gone.
    await remove(
      queue,
      dropped.map(({ message }) => message),
    )
    const isOrdered = mapping.source.kind === 'sqs' && mapping.source.fifo
    const parts = partsOf(kept, isOrdered).flatMap((part) => payloadsOf(part, MAX_SYNC_PAYLOAD_BYTES))
    for (const part of parts) {
      const release = await places.acquire(stopping.signal)
      let result
      try {
        result = await invoke(part.payload, traceOf(part.messages), since, queue)
      } finally {
        release()
      }
      if (result === undefined) return 'throttled'
      await remove(queue, doneWith(part.messages, result, reportsFailures))
    }
    return 'messages'
  }

  const grow = (queue: Queue) => {
    while (receivers.size < wanted && !closing.signal.aborted) {
      const one = receiver(queue)
        .catch(async (error: unknown) => {
          if (closing.signal.aborted || stopping.signal.aborted) return
          logger.error('A receiver of a queue has failed', { ...describe, error: String(error) })
          await sleep(clock, FIRST_BACKOFF_MS, closing.signal).catch(() => {})
        })
        .finally(() => {
          receivers.delete(one)
          grow(queue)
        })
      receivers.add(one)
    }
  }

  const receiver = async (queue: Queue) => {
    // One more than wanted ends itself; when two do at once, `grow` makes up for it.
    while (!closing.signal.aborted && receivers.size <= wanted) {
      const { messages, since } = await gather(queue)
      if (messages.length === 0) {
        wanted = receiversAfter('nothing', wanted, limits)
        continue
      }
      wanted = receiversAfter('messages', wanted, limits)
      grow(queue)
      const met = await handle(queue, messages, since)
      if (met === 'throttled') {
        wanted = receiversAfter('throttled', wanted, limits)
        await sleep(clock, FIRST_BACKOFF_MS, closing.signal)
      }
    }
  }

  const finding = findQueue().then(grow, () => {
    // Closed before the queue was found.
  })
  const finished = async () => {
    await finding
    while (receivers.size > 0) await Promise.all(receivers)
  }
  return {
    async close() {
      if (!closing.signal.aborted) closing.abort(new Error('The mapping is not polled any more'))
      await finished()
    },
    destroy() {
      if (!closing.signal.aborted) closing.abort(new Error('The poller was stopped'))
      if (!stopping.signal.aborted) stopping.abort(new Error('The poller was stopped'))
    },
  }
}

const DELETE_ATTEMPTS = 3

const sizeOf = (messages: readonly QueueMessage[]) =>
  messages.reduce((sum, { Body }) => sum + Buffer.byteLength(Body), 0)
