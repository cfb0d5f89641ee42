/**
 * Carries capacity providers from Pending to Active and from Deleting to gone. What a crash left on its way is taken up
 * again at the next start. A provider stands for the group of hosts that this store serves; with one machine that is the
 * machine itself, which is there, so that nothing has to be waited for.
 */
import {
  NEXT_CAPACITY_PROVIDER_STATE,
  type CapacityProvider,
  type CapacityProviderState,
} from '#contracts/capacity-provider.ts'
import { ALL_CAPACITY_PROVIDERS, capacityProviderKey } from '#contracts/keys.ts'
import type { Clock } from '#kernel/clock.ts'
import { mayFollow, type Component } from '#kernel/lifecycle.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

import { createCommitter } from '../commit.ts'
import { asJson, createDocuments, docOf, walk } from '../documents.ts'

export interface ProviderLifecycle extends Component {
  /** Takes the next step of a stored provider in the background. */
  drive(provider: CapacityProvider): void
}

type Step = 'activate' | 'remove' | 'none'

/** What a provider in this state waits for. Pure. */
export function stepOf(state: CapacityProviderState): Step {
  if (mayFollow<CapacityProviderState>(NEXT_CAPACITY_PROVIDER_STATE, state, 'Active')) return 'activate'
  return state === 'Deleting' ? 'remove' : 'none'
}

export function createProviderLifecycle(options: {
  readonly meta: Meta
  readonly clock: Clock
  readonly logger: Logger
}): ProviderLifecycle {
  const { meta, clock, logger } = options
  const documents = createDocuments(meta)
  const committer = createCommitter(meta)
  const running = new Set<Promise<void>>()
  let accepting = true
  let reconciling: Promise<void> | undefined

  const run = (provider: CapacityProvider) => {
    const key = capacityProviderKey(provider, provider.name)
    return committer.run(key, async () => {
      const before = await documents.capacityProvider(provider, provider.name)
      const step = before ? stepOf(before.doc.state) : 'none'
      if (!before || step === 'none') return { writes: [], result: undefined }
      const doc = step === 'remove' ? null : asJson({ ...before.doc, state: 'Active' })
      return { writes: [{ key, ifRev: before.rev, doc }], result: undefined }
    })
  }

  const track = (provider: CapacityProvider): Promise<void> => {
    const job = run(provider)
      .catch((error: unknown) => {
        // It stays on its way in the store; the next start takes it up again.
        logger.error('A capacity provider could not be written', {
          capacityProvider: provider.name,
          error: String(error),
        })
      })
      .finally(() => running.delete(job))
    running.add(job)
    return job
  }

  const reconcile = async () => {
    for await (const row of walk(meta, ALL_CAPACITY_PROVIDERS)) {
      const provider = docOf<CapacityProvider>(row)
      if (accepting && stepOf(provider.state) !== 'none') await track(provider)
    }
  }

  return {
    drive(provider) {
      if (accepting && stepOf(provider.state) !== 'none') void track(provider)
    },
    async start() {
      // Again when another node is gone: what it has left is on its way still.
      reconciling = (reconciling ?? Promise.resolve()).then(reconcile).catch((error: unknown) => {
        logger.error('Capacity providers left on their way could not be taken up', { error: String(error) })
      })
    },
    async drain(deadlineMs) {
      accepting = false
      let cancel = () => {}
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(deadlineMs, resolve)
      })
      await Promise.race([Promise.all([reconciling, ...running]), late])
      cancel()
    },
    async stop() {
      accepting = false
    },
  }
}
