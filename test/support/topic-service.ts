/** SNS on a store in memory and in virtual time; what it calls is written down. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import type { ServiceCall } from '#contracts/service-calls.ts'
import { seededRandom } from '#kernel/random.ts'
import { createSealer } from '#kernel/sealed.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { RequestContext } from '#wire/service.ts'

import { createSnsService } from '#services/sns/create-sns-service.ts'

export const ACCOUNT = '111122223333'
const logger = { debug() {}, info() {}, warn() {}, error() {} }
export const CONTEXT: RequestContext = {
  requestId: 'r',
  account: ACCOUNT,
  region: 'us-east-1',
  principal: { account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accessKeyId: 'AKIA' },
  endpoint: 'http://127.0.0.1:4566',
  signal: new AbortController().signal,
  traceId: undefined,
}
export const queue = (name: string) => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`

export type Input = Readonly<Record<string, unknown>>
export type Answer = Record<string, string>

export async function topicService(t: TestContext) {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock })
  t.after(() => store.close())
  const seen: ServiceCall[] = []
  const at: number[] = []
  /** What the call to this queue or function ends with. */
  const failures = new Map<string, LambdaError>()
  const calls = {
    call: async (call: ServiceCall) => {
      seen.push(call)
      at.push(clock.now())
      const { QueueUrl, FunctionName } = call.input as Answer
      const failure = failures.get((QueueUrl ?? FunctionName ?? '').split(/[/:]/).at(-1) ?? '')
      if (failure) throw failure
      return {}
    },
  }
  /** A KMS with one key, which is the text itself turned round; broken, it says that the key is disabled. */
  const kms = { isDisabled: false, keysMade: 0 }
  const turned = async (bytes: Uint8Array) => {
    if (kms.isDisabled) throw new LambdaError('DisabledException', 'The key is disabled.', { status: 400 })
    return bytes.toReversed()
  }
  const keys = {
    encrypt: async (_scope: object, { plaintext }: { readonly plaintext: Uint8Array }) => {
      kms.keysMade++
      return { ciphertext: await turned(plaintext) }
    },
    decrypt: async (_scope: object, { ciphertext }: { readonly ciphertext: Uint8Array }) => ({
      plaintext: await turned(ciphertext),
    }),
  }
  const open = async () => {
    const service = createSnsService({
      store,
      sealer: createSealer(Buffer.alloc(32, 7)),
      keys,
      calls,
      reachesLoopback: true,
      clock,
      random: seededRandom(Date.now()),
      logger,
    })
    await service.start()
    const send = async (operation: string, input: Input, context: RequestContext = CONTEXT) =>
      (await service.handlers[operation]?.(input as never, context)) as Answer
    return { service, send }
  }
  const bodies = () => seen.map((call) => JSON.parse((call.input as Answer)['MessageBody'] ?? '{}') as Answer)
  const inputs = () => seen.map((call) => call.input as Answer)
  return { clock, store, seen, at, failures, kms, open, bodies, inputs }
}

export const refused = (code: string, message?: string) => (error: unknown) => {
  assert.ok(error instanceof LambdaError, String(error))
  assert.equal(error.code, code)
  if (message !== undefined) assert.equal(error.message, message)
  return true
}
