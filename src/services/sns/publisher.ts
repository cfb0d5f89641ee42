/** Takes messages: says their number, and puts what is to be delivered of them into the outbox. */
import { snsTopicArn, type SnsSubscription, type SnsTopic } from '#contracts/sns.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import { MIB } from '#kernel/units.ts'

import { type NewDelivery, type Outbox, OutboxFull } from '../outbox/port.ts'
import type { Catalogue, KnownSubscription } from './catalogue.ts'
import { bodyBytes, notificationItem, publishedItem, type PublishedHead } from './delivery/item.ts'
import { filterable, matchesFilter, type Filterable } from './filter/matches-filter.ts'
import type { MessageLock, MessageVault } from './message-vault.ts'
import type { PublishedMessage } from './read-message.ts'
import { throttled } from './sns-errors.ts'

export interface Published {
  readonly messageId: string
  readonly sequenceNumber?: string
}

export interface Publisher {
  /** Durable, with everything that is to be delivered, when it resolves. Rejects with Throttled when too much waits. */
  publish(topic: SnsTopic, message: PublishedMessage, traceId: string | undefined): Promise<Published>
}

/** For so long a FIFO topic knows a message again (API reference). */
const DEDUPLICATION_MS = 5 * 60_000
/** Bytes that are handed to the outbox at a time: a large fan-out waits for itself. */
const ADD_BYTES = 8 * MIB
/** Sequence numbers have 20 digits, as AWS's do: milliseconds and 12 bits within one, on top of this. */
const FIRST_SEQUENCE = 10_000_000_000_000_000_000n
const SEQUENCE_BITS = 12n

function refuseWhenFull(error: unknown): never {
  throw error instanceof OutboxFull ? throttled() : error
}

export function createPublisher(deps: {
  readonly catalogue: Catalogue
  readonly outbox: Outbox
  readonly vault: MessageVault
  readonly clock: Clock
  readonly random: Random
}): Publisher {
  const { catalogue, outbox, vault, clock, random } = deps
  /** Messages of FIFO topics that are being stored, by what they are known again by. */
  const pending = new Map<string, Promise<Published>>()
  let lastTick = 0n

  const nextSequence = () => {
    const now = BigInt(Math.floor(clock.now())) << SEQUENCE_BITS
    lastTick = now > lastTick ? now : lastTick + 1n
    return String(FIRST_SEQUENCE + lastTick)
  }

  const add = async (items: readonly NewDelivery[]) => {
    let group: NewDelivery[] = []
    let bytes = 0
    for (const item of items) {
      if (bytes + item.payload.byteLength > ADD_BYTES && group.length > 0) {
        await outbox.add(group).catch(refuseWhenFull)
        group = []
        bytes = 0
      }
      group.push(item)
      bytes += item.payload.byteLength
    }
    await outbox.add(group).catch(refuseWhenFull)
  }

  /** One item for each subscription whose filter lets the message pass. */
  const fanOut = (
    topic: SnsTopic,
    message: PublishedMessage,
    told: Published & { readonly traceId: string | undefined; readonly lock: MessageLock | undefined },
  ): NewDelivery[] => {
    const { subject, groupId, deduplicationId, attributes } = message
    const byBody = new Map<string, { readonly looks: Filterable; payload: Uint8Array | undefined }>()
    const bodyFor = ({ protocol }: SnsSubscription) => {
      const body = message.bodyFor(protocol)
      let known = byBody.get(body)
      if (!known) byBody.set(body, (known = { looks: filterable(body, attributes), payload: undefined }))
      return { body, known }
    }
    const passes = ({ doc, filter }: KnownSubscription) =>
      !doc.isPending && (!filter || matchesFilter(filter.pattern, filter.scope, bodyFor(doc).known.looks))
    const payloadFor = (doc: SnsSubscription) => {
      const { body, known } = bodyFor(doc)
      if (known.payload) return known.payload
      const payload = bodyBytes({ body, attributes })
      return (known.payload = told.lock ? told.lock.seal(payload) : payload)
    }
    const { account, region, name } = topic
    const { messageId, sequenceNumber, traceId, lock } = told
    const publishedAt = clock.now()
    return catalogue
      .subscriptionsOf(topic)
      .filter(passes)
      .map(({ doc }) =>
        notificationItem(
          {
            kind: 'notification',
            account,
            region,
            topic: name,
            id: doc.id,
            messageId,
            publishedAt,
            failures: 0,
            ...(subject !== undefined && { subject }),
            ...(sequenceNumber !== undefined && { sequenceNumber }),
            ...(groupId !== undefined && { groupId }),
            ...(deduplicationId !== undefined && { deduplicationId }),
            ...(traceId !== undefined && { traceId }),
            ...(lock && { dataKey: lock.dataKey }),
          },
          payloadFor(doc),
        ),
      )
  }

  const publishInOrder = async (
    topic: SnsTopic,
    message: PublishedMessage,
    { key, traceId }: { readonly key: string; readonly traceId: string | undefined },
  ): Promise<Published> => {
    const lock = await vault.lock(topic)
    const told = { messageId: random.uuid(), sequenceNumber: nextSequence() }
    const mark: PublishedHead = {
      kind: 'published',
      key,
      ...told,
      until: clock.now() + DEDUPLICATION_MS,
    }
    // All at once, in the order in which messages come. The mark is last: without it a publisher who has had no answer
    // sends the message again.
    await outbox
      .add([...fanOut(topic, message, { ...told, traceId, lock }), publishedItem(mark)])
      .catch(refuseWhenFull)
    return told
  }

  const publishOnce = (topic: SnsTopic, message: PublishedMessage, traceId: string | undefined) => {
    const scope = topic.attributes['FifoThroughputScope'] === 'MessageGroup' ? message.groupId : ''
    const key = `${snsTopicArn(topic, topic.name)}/${topic.createdAt}/${scope}/${message.deduplicationId}`
    const known = outbox.headOf(key) as unknown as PublishedHead | undefined
    if (known && known.until > clock.now()) {
      const { messageId, sequenceNumber } = known
      return Promise.resolve({ messageId, sequenceNumber })
    }
    let publishing = pending.get(key)
    if (!publishing) {
      publishing = publishInOrder(topic, message, { key, traceId }).finally(() => pending.delete(key))
      pending.set(key, publishing)
    }
    return publishing
  }

  return {
    async publish(topic, message, traceId) {
      if (topic.isFifo) return await publishOnce(topic, message, traceId)
      const lock = await vault.lock(topic)
      const told = { messageId: random.uuid() }
      await add(fanOut(topic, message, { ...told, traceId, lock }))
      return told
    },
  }
}
