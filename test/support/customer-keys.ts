/** The real KMS over the memory store, for unit tests of those who use its keys. */
import type { KeyService } from '#services/kms/port.ts'
import { createKmsService } from '#services/kms/create-kms-service.ts'
import { systemClock } from '#kernel/clock.ts'
import { systemRandom } from '#kernel/random.ts'
import { createSealer } from '#kernel/sealed.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { OperationHandler } from '#wire/service.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

export function createTestKeys(): {
  readonly keys: KeyService
  /** One operation of KMS, as the owner of the account. */
  readonly kms: (operation: string, input: object) => Promise<Readonly<Record<string, unknown>>>
} {
  const service = createKmsService({
    meta: createMemoryStore({ clock: systemClock }).meta,
    sealer: createSealer(new Uint8Array(32).fill(9)),
    clock: systemClock,
    random: systemRandom,
    logger: quiet,
  })
  return {
    keys: service.keys,
    async kms(operation, input) {
      const handler = service.handlers[operation] as OperationHandler<object, object> | undefined
      if (!handler) throw new Error(`No operation ${operation}`)
      const answer = await handler(input, {
        account: '000000000000',
        region: 'us-east-1',
        requestId: 'request',
        principal: { account: '000000000000', arn: 'arn:aws:iam::000000000000:root', accessKeyId: 'test' },
        endpoint: 'http://127.0.0.1:4566',
        signal: new AbortController().signal,
        traceId: undefined,
      })
      return answer as Readonly<Record<string, unknown>>
    },
  }
}
