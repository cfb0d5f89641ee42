/** AWS Signer, as far as code packages of Lambda need it: profiles, jobs, revocation. */
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandlers } from '#wire/service.ts'

import { createJobOperations } from './job-operations.ts'
import { createJobRunner } from './job-runner.ts'
import { platformOperations } from './platforms.ts'
import type { SigningBucket } from './port.ts'
import { createProfileOperations } from './profile-operations.ts'

export interface SignerService extends Component {
  /** For the model `signer`. */
  readonly handlers: OperationHandlers
}

export function createSignerService(deps: {
  readonly meta: Meta
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly bucket: SigningBucket | undefined
  readonly temporaryDirectory: string
}): SignerService {
  const runner = createJobRunner(deps)
  return {
    handlers: {
      ...createProfileOperations(deps),
      ...createJobOperations({ ...deps, runner }),
      ...platformOperations,
    },
    start: () => runner.start(),
    drain: (deadlineMs) => runner.drain(deadlineMs),
    stop: () => runner.stop(),
  }
}
