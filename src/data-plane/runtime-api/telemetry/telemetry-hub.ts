/** The telemetry of one environment: what happens in it goes to every extension that subscribed. */
import type { Telemetry, TelemetryCategory } from '#data-plane/runtime-api/port.ts'
import type { Subscription } from '#data-plane/runtime-api/telemetry/subscription-request.ts'
import { createDelivery, type ConnectInside } from '#data-plane/runtime-api/telemetry/telemetry-delivery.ts'
import {
  createTelemetrySubscriber,
  type TelemetrySubscriber,
} from '#data-plane/runtime-api/telemetry/telemetry-subscriber.ts'
import type { Clock } from '#kernel/clock.ts'

export interface TelemetryHub extends Telemetry {
  /** Subscribes `name`, in place of an earlier subscription of it. False: subscriptions are closed. */
  subscribe(name: string, subscription: Subscription): boolean
}

/** What happened before an extension subscribed is kept for it, as far as these go. */
const MAX_BACKLOG_EVENTS = 1000
const MAX_BACKLOG_BYTES = 262_144

interface Backlog {
  readonly entries: { readonly category: TelemetryCategory; readonly event: string }[]
  bytes: number
}

export function createTelemetryHub(options: {
  readonly connect: ConnectInside
  readonly clock: Clock
}): TelemetryHub {
  const { connect, clock } = options
  const subscribers = new Map<
    string,
    { readonly subscription: Subscription; readonly to: TelemetrySubscriber; stop(): void }
  >()
  /** Present while extensions may subscribe. */
  let backlog: Backlog | undefined = { entries: [], bytes: 0 }

  const emit: Telemetry['emit'] = (category, type, record) => {
    if (!backlog && subscribers.size === 0) return
    const event = JSON.stringify({ time: new Date(clock.now()).toISOString(), type, record })
    if (backlog && backlog.entries.length < MAX_BACKLOG_EVENTS && backlog.bytes < MAX_BACKLOG_BYTES) {
      backlog.entries.push({ category, event })
      backlog.bytes += event.length
    }
    for (const { subscription, to } of subscribers.values()) {
      if (subscription.categories.has(category)) to.add(event)
    }
  }
  const unsubscribeAll = () => {
    for (const { stop } of subscribers.values()) stop()
    subscribers.clear()
  }

  return {
    get active() {
      return backlog !== undefined || subscribers.size > 0
    },
    emit,
    open() {
      if (backlog) return
      unsubscribeAll()
      backlog = { entries: [], bytes: 0 }
    },
    subscribe(name, subscription) {
      if (!backlog) return false
      subscribers.get(name)?.stop()
      const delivery = createDelivery(connect, subscription.destination)
      const to = createTelemetrySubscriber({
        buffering: subscription.buffering,
        deliver: delivery.deliver,
        onDropped: ({ reason, records, bytes }) =>
          emit('platform', 'platform.logsDropped', {
            reason,
            droppedRecords: records,
            droppedBytes: bytes,
          }),
        clock,
      })
      const stop = () => {
        to.stop()
        delivery.stop()
      }
      subscribers.set(name, { subscription, to, stop })
      for (const { category, event } of backlog.entries)
        if (subscription.categories.has(category)) to.add(event)
      emit('platform', 'platform.telemetrySubscription', {
        name,
        state: 'Subscribed',
        types: [...subscription.categories],
      })
      return true
    },
    close() {
      backlog = undefined
    },
    subscribers: () =>
      [...subscribers].map(([name, { subscription }]) => ({ name, types: [...subscription.categories] })),
    async flush() {
      await Promise.all([...subscribers.values()].map(({ to }) => to.flush()))
    },
    stop() {
      backlog = undefined
      unsubscribeAll()
    },
  }
}
