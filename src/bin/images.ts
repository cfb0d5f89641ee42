/** Container images: our own registry with its ECR API, and where images of functions come from. */
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { Scope } from '#contracts/arn.ts'
import { createImages } from '#images/create-images.ts'
import type { Images } from '#images/port.ts'
import { createRegistry } from '#images/registry/create-registry.ts'
import type { RegistryDoor } from '#images/registry/registry-door.ts'
import { createFileCredentials } from '#images/remote/credentials.ts'
import { createRegistryHttp } from '#images/remote/registry-http.ts'
import { createRemoteSources } from '#images/remote/remote-sources.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import type { Logger } from '#observability/port.ts'
import { createEcrOperations } from '#services/ecr/create-ecr-operations.ts'
import type { Blobs, Meta } from '#store/port.ts'
import type { Authorise } from '#wire/authorise.ts'
import type { DoorService } from '#wire/door.ts'
import { ecrModel } from '#wire/models/ecr.ts'

export interface ImageServices extends Component {
  readonly images: Images
  /** For the door. */
  readonly ecr: DoorService
  /** Answers what is below /v2/. */
  readonly registry: RegistryDoor
}

export async function createImageServices(options: {
  readonly meta: Meta
  readonly blobs: Blobs
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** The data directory. */
  readonly directory: string
  readonly port: number
  readonly home: Scope
  readonly needsToken: boolean
  /** Asked for what is pushed and pulled; left out, who has a token may do everything in its account. */
  readonly authorise?: Authorise | undefined
  /** Like Docker's config.json; empty: other registries are asked without credentials. */
  readonly credentialsFile: string
}): Promise<ImageServices> {
  const { clock, random } = options
  const directory = join(options.directory, 'images')
  const incoming = join(directory, 'incoming')
  await rm(incoming, { recursive: true, force: true })
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const registry = createRegistry({
    ...options,
    directory: join(directory, 'uploads'),
    copies: incoming,
  })
  const http = createRegistryHttp({ clock })
  const credentials =
    options.credentialsFile === '' ? async () => undefined : createFileCredentials(options.credentialsFile)
  const remoteSource = createRemoteSources({
    http,
    credentials,
    directory: incoming,
    clock,
    random,
    guardsLoopback: options.needsToken,
  })
  return {
    images: createImages({
      ...options,
      directory,
      sourceFor: (host) => registry.sourceFor(host) ?? remoteSource(host),
    }),
    ecr: { model: ecrModel, handlers: createEcrOperations({ ...options, content: registry.content }) },
    registry: registry.door,
    start: registry.start,
    drain: registry.drain,
    stop: registry.stop,
  }
}
