/** What several nodes on one database share out between them: who lives, and what one of them does for all. */
import { createMembership } from '#cluster/membership.ts'
import type { Membership, Roles } from '#cluster/port.ts'
import { createRoles } from '#cluster/roles.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'
import type { Store } from '#store/port.ts'

export interface Cluster {
  readonly membership: Membership
  /** Shares out this work; `takeUp` carries on what nodes that are gone have left on its way. */
  share(work: Readonly<Record<string, () => Component>>, takeUp: () => Promise<void>): Roles
}

export function createCluster(options: {
  readonly store: Store
  readonly address: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}): Cluster {
  const { store, address, clock, random, logger } = options
  const { nodes, leases } = store
  const membership = createMembership({ nodeId: random.uuid(), address, nodes, clock, logger })
  return {
    membership,
    share(work, takeUp) {
      let isMine = false
      const recover = () => {
        if (!isMine) return
        takeUp().catch((error: unknown) => {
          logger.error('What a lost node has left could not be taken up', { error })
        })
      }
      membership.onGone(recover)
      const recovery = (): Component => ({
        async start() {
          isMine = true
          recover()
        },
        async drain() {},
        async stop() {
          isMine = false
        },
      })
      return createRoles({ work: { ...work, recovery }, leases, clock, logger })
    },
  }
}
