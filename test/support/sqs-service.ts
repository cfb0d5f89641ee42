/** SQS on a store in memory and a clock of the test's own, called as the door would call it. */
import type { LambdaError } from '#contracts/errors.ts'
import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock, type VirtualClock } from '#kernel/virtual-clock.ts'
import { createSqsService, type SqsService } from '#services/sqs/create-sqs-service.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { Store } from '#store/port.ts'
import type { OperationHandler, RequestContext } from '#wire/service.ts'

export const ACCOUNT = '000000000000'
export const REGION = 'us-east-1'

// oxlint-disable-next-line typescript/no-explicit-any -- each test knows the answer's form
type Answer = any

export interface SqsRig {
  readonly clock: VirtualClock
  readonly store: Store
  readonly said: readonly string[]
  /** The operation's answer; rejects with a LambdaError. */
  call(operation: string, input: object, signal?: AbortSignal): Promise<Answer>
  /** Name of the error that the operation ends with, and its text. */
  failure(operation: string, input: object): Promise<string>
  /** Makes the queue; its URL. */
  queue(name: string, attributes?: Readonly<Record<string, string>>): Promise<string>
  send(url: string, body: string, more?: object): Promise<Answer>
  /** Up to ten messages, none waited for. */
  receive(url: string, more?: object): Promise<readonly Answer[]>
  /** Bodies of up to ten messages. */
  bodies(url: string, more?: object): Promise<readonly string[]>
  /** `[visible, in flight, delayed]`. */
  counts(url: string): Promise<readonly number[]>
  /** Ends the service without a word to anybody, and starts another one on what is stored. */
  crash(): Promise<void>
  /** Ends the service as it should be, and starts another one. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** `beside`: another node on the same store. */
export async function createSqsRig(beside?: SqsRig): Promise<SqsRig> {
  const clock = beside?.clock ?? createVirtualClock()
  const store = beside?.store ?? createMemoryStore({ clock })
  const said: string[] = []
  const say = (text: string, fields?: object) => void said.push(`${text} ${JSON.stringify(fields, plain)}`)
  let seed = beside ? 1000 : 0
  const start = async () => {
    const mine = ++seed
    const service = createSqsService({
      store,
      senderId: ({ account }) => account,
      // What has crashed does nothing any more.
      clock: { ...clock, after: (delayMs, run) => clock.after(delayMs, () => mine === seed && run()) },
      random: seededRandom(mine),
      logger: { debug() {}, info() {}, warn: say, error: say },
    })
    await service.start()
    return service
  }
  let service: SqsService = await start()

  const call: SqsRig['call'] = async (operation, input, signal = new AbortController().signal) => {
    const handler = service.handlers[operation] as OperationHandler<never, object> | undefined
    if (!handler) throw new Error(`There is no ${operation}`)
    const context: RequestContext = {
      requestId: 'request',
      account: ACCOUNT,
      region: REGION,
      principal: { account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accessKeyId: 'test' },
      endpoint: 'http://localhost:4566',
      signal,
      traceId: undefined,
    }
    return await handler(input as never, context)
  }
  const receive: SqsRig['receive'] = async (QueueUrl, more = {}) =>
    (await call('ReceiveMessage', { QueueUrl, MaxNumberOfMessages: 10, ...more })).Messages ?? []

  return {
    clock,
    store,
    said,
    call,
    receive,
    async failure(operation, input) {
      const error = await call(operation, input).then(
        () => undefined,
        (reason: unknown) => reason as LambdaError,
      )
      return error ? `${error.code}: ${error.message}` : 'no failure'
    },
    queue: async (QueueName, Attributes = {}) =>
      (await call('CreateQueue', { QueueName, Attributes })).QueueUrl,
    send: (QueueUrl, MessageBody, more = {}) => call('SendMessage', { QueueUrl, MessageBody, ...more }),
    bodies: async (url, more) => (await receive(url, more)).map(({ Body }) => Body),
    async counts(QueueUrl) {
      const { Attributes } = await call('GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] })
      return ['', 'NotVisible', 'Delayed'].map((kind) =>
        Number(Attributes[`ApproximateNumberOfMessages${kind}`]),
      )
    },
    async crash() {
      // Nothing is told: its leases run out, and what it had in memory is gone.
      seed++
      await clock.advance(11_000)
      service = await start()
    },
    async restart() {
      await service.stop()
      service = await start()
    },
    stop: () => service.stop(),
  }
}

const plain = (_key: string, value: unknown) =>
  value instanceof Error ? value.message : typeof value === 'bigint' ? String(value) : value
