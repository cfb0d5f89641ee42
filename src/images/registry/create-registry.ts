/** Our own registry: what docker push, skopeo and buildah speak to, and where functions' images are read from. */
import type { Scope } from '#contracts/arn.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { Blobs, Meta } from '#store/port.ts'
import type { Authorise } from '#wire/authorise.ts'

import { ownRepository } from '../reference.ts'
import type { ImageSource } from '../source.ts'
import { createOwnSource } from './own-source.ts'
import type { RegistryContent } from '../port.ts'
import { createRegistryContent } from './registry-content.ts'
import { createRegistryAccess } from './registry-access.ts'
import { createRegistryDoor, type RegistryDoor } from './registry-door.ts'
import { sweepRegistry } from './registry-sweep.ts'
import { createRepositories } from './repositories.ts'
import { createUploads } from './uploads.ts'

const SWEEP_EVERY_MS = HOUR_MS

export interface Registry extends Component {
  readonly door: RegistryDoor
  /** For the ECR API. */
  readonly content: RegistryContent
  /** Undefined when the host name is that of another registry. */
  sourceFor(host: string): ImageSource | undefined
}

export function createRegistry(options: {
  readonly meta: Meta
  readonly blobs: Blobs
  /** Of uploads under way. */
  readonly directory: string
  /** Of copies of blobs, where the store keeps no files. */
  readonly copies: string
  readonly needsToken: boolean
  readonly authorise?: Authorise | undefined
  readonly home: Scope
  readonly port: number
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}): Registry {
  const { meta, blobs, clock, logger } = options
  const repositories = createRepositories({ meta, clock })
  const uploads = createUploads(options)
  const door = createRegistryDoor({
    access: createRegistryAccess(options),
    repositories,
    uploads,
    blobs,
    clock,
    logger,
  })
  let cancel: (() => void) | undefined
  let isStopped = false
  const sweepSoon = () => {
    cancel = clock.after(SWEEP_EVERY_MS, () => {
      sweepRegistry({ meta, clock }).catch((error: unknown) => {
        if (!isStopped) logger.warn('The registry could not be swept', { error: String(error) })
      })
      sweepSoon()
    })
  }
  return {
    door,
    content: createRegistryContent({ repositories, blobs, clock }),
    sourceFor(host) {
      if (!ownRepository(host, '', options)) return undefined
      const locate = (name: string) => {
        const repository = ownRepository(host, name, options)
        if (!repository) throw new TypeError(`The registry ${host} is not our own`)
        return repository
      }
      return createOwnSource({ ...options, directory: options.copies, repositories, locate })
    },
    async start() {
      await uploads.start()
      sweepSoon()
    },
    drain: async () => {},
    async stop() {
      isStopped = true
      cancel?.()
      uploads.stop()
    },
  }
}
