/** Makes true what is configured as provisioned concurrency, and says in the store what has become of it. */
import type { FunctionId } from '#contracts/arn.ts'
import { ALL_PROVISIONED_CONCURRENCY, ALL_PROVISIONED_STATES } from '#contracts/keys.ts'
import type {
  ProvisionedConcurrency,
  ProvisionedConcurrencyState,
} from '#contracts/provisioned-concurrency.ts'
import type { Counting } from '#data-plane/counting/port.ts'
import type { Placement } from '#data-plane/placement/port.ts'
import { createFunctionProvisioning, type FunctionProvisioning } from '#data-plane/provisioning/function.ts'
import { walk } from '#data-plane/provisioning/walk.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

/** Functions that are looked at together when the program starts. */
const START_BATCH = 50

const keyOf = ({ account, region, name }: FunctionId) => `${account}/${region}/${name}`
/** `kind/account/region/name/...`, taken apart. */
const idOf = (key: string): FunctionId | undefined => {
  const [, account, region, name] = key.split('/')
  return account && region && name ? { account, region, name } : undefined
}

export function createProvisioning(options: {
  readonly meta: Meta
  readonly placement: Pick<Placement, 'keepReady'>
  readonly counting: Pick<Counting, 'setProvisioned'>
  readonly clock: Clock
  readonly logger: Logger
}): Component {
  const { meta } = options
  /** Only functions that have provisioned concurrency, or had it a moment ago. */
  const functions = new Map<string, FunctionProvisioning>()
  let stopFeed = () => {}
  let stopped = false

  const functionOf = (id: FunctionId) => {
    const key = keyOf(id)
    let known = functions.get(key)
    if (!known) {
      known = createFunctionProvisioning({ ...options, id, onEmpty: () => functions.delete(key) })
      functions.set(key, known)
    }
    return known
  }

  const note = (key: string) => {
    const id = idOf(key)
    if (!id) return
    if (key.startsWith(ALL_PROVISIONED_CONCURRENCY)) functionOf(id).look()
    else if (key.startsWith('alias/')) functions.get(keyOf(id))?.look()
  }

  return {
    async start() {
      // The revision is read first: a change made meanwhile is seen twice, which does no harm.
      const rev = await meta.rev()
      for await (const row of walk(meta, ALL_PROVISIONED_STATES)) {
        const state = row.doc as unknown as ProvisionedConcurrencyState
        functionOf(state).remember(state)
      }
      for await (const row of walk(meta, ALL_PROVISIONED_CONCURRENCY)) {
        functionOf(row.doc as unknown as ProvisionedConcurrency)
      }
      // Awaited, so that nobody is told of environments that an earlier run of the program had.
      const all = [...functions.values()]
      for (let at = 0; at < all.length; at += START_BATCH) {
        const batch = all.slice(at, at + START_BATCH)
        for (const one of batch) one.look()
        await Promise.all(batch.map((one) => one.settled()))
      }
      stopFeed = meta.watch(rev, (changes) => {
        if (stopped) return
        for (const { key } of changes) note(key)
      })
    },
    async drain() {},
    async stop() {
      stopped = true
      stopFeed()
      for (const one of functions.values()) one.stop()
      await Promise.all([...functions.values()].map((one) => one.settled()))
      functions.clear()
    },
  }
}
