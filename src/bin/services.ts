/** The neighbour services that Lambda's users need at the same endpoint: IAM, STS, KMS, Signer and SQS. */
import { join } from 'node:path'

import type { IamSession } from '#contracts/iam.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import type { Sealer } from '#kernel/sealed.ts'
import type { Logger } from '#observability/port.ts'
import { createCredentialIndex } from '#services/iam/credential-index.ts'
import { createIamOperations } from '#services/iam/create-iam-operations.ts'
import { createKmsService } from '#services/kms/create-kms-service.ts'
import type { KeyService } from '#services/kms/port.ts'
import { createSignerService } from '#services/signer/create-signer-service.ts'
import type { SigningBucket } from '#services/signer/port.ts'
import { createSqsService } from '#services/sqs/create-sqs-service.ts'
import { createStsOperations } from '#services/sts/create-sts-operations.ts'
import type { RoleSessions } from '#services/sts/port.ts'
import { createSessions } from '#services/sts/sessions.ts'
import type { Store } from '#store/port.ts'
import type { DoorService } from '#wire/door.ts'
import { iamModel } from '#wire/models/iam.ts'
import { kmsModel } from '#wire/models/kms.ts'
import { signerModel } from '#wire/models/signer.ts'
import { sqsModel } from '#wire/models/sqs.ts'
import { stsModel } from '#wire/models/sts.ts'
import type { CredentialLookup } from '#wire/sigv4-verify.ts'

export interface NeighbourServices extends Component {
  /** For the door. */
  readonly services: readonly DoorService[]
  /** Access keys of users and temporary credentials; knows them from `start` on. */
  readonly credentials: CredentialLookup
  /** Temporary credentials by their access key id. */
  readonly session: (accessKeyId: string) => IamSession | undefined
  readonly roleSessions: RoleSessions
  readonly keys: KeyService
}

export function createNeighbourServices(deps: {
  readonly store: Store
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Undefined: no bucket exists, and no package can be signed. */
  readonly bucket: SigningBucket | undefined
  readonly directory: string
}): NeighbourServices {
  const { sealer, clock, random, logger, bucket } = deps
  const { meta } = deps.store
  const index = createCredentialIndex({ meta, sealer })
  const sessions = createSessions({ meta, sealer, clock, random, index, logger })
  const kms = createKmsService({ meta, sealer, clock, random, logger })
  const signer = createSignerService({
    meta,
    sealer,
    clock,
    random,
    logger,
    bucket,
    temporaryDirectory: join(deps.directory, 'signing'),
  })
  const sqs = createSqsService({
    store: deps.store,
    senderId: ({ accessKeyId, account }) => index.find(accessKeyId)?.userId ?? account,
    clock,
    random,
    logger,
  })
  return {
    services: [
      { model: iamModel, handlers: createIamOperations({ meta, sealer, clock, random }) },
      { model: stsModel, handlers: createStsOperations({ meta, index, sessions }) },
      { model: kmsModel, handlers: kms.handlers },
      { model: signerModel, handlers: signer.handlers },
      { model: sqsModel, handlers: sqs.handlers },
    ],
    credentials: (accessKeyId) => index.find(accessKeyId),
    session: (accessKeyId) => index.find(accessKeyId)?.session,
    roleSessions: sessions,
    keys: kms.keys,
    async start() {
      await index.start()
      await sessions.start()
      await kms.start()
      await signer.start()
      await sqs.start()
    },
    drain: (deadlineMs) => signer.drain(deadlineMs),
    async stop() {
      await sqs.stop()
      await signer.stop()
      await kms.stop()
      await sessions.stop()
      index.stop()
    },
  }
}
