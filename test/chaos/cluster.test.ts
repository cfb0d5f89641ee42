/** Three nodes on one PostgreSQL database: what one knows all know, and what one has accepted runs, whoever fails. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

import {
  GetDurableExecutionCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'

import { createFunction, errorOf, eventually, invoke, lambdaClient } from '../support/clients.ts'
import { noPostgres, type PostgresServer, startPostgres } from '../support/postgres.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

interface Health {
  readonly asyncEvents: number
  readonly asyncQueues: number
  readonly nodes: number
  readonly roles: readonly string[]
}
const healthOf = async (program: Program) =>
  (await (await fetch(`${program.endpoint}/_lambent/health`)).json()) as Health

describe('three nodes on one database', { skip: noPostgres }, () => {
  let directory: string
  let record: string
  let server: PostgresServer
  let nodes: Program[] = []
  const cleanups: (() => Promise<void>)[] = []

  const start = async (name: string) => {
    const args = ['--driver=process', '--pool-memory=0', `--data-key=${join(directory, 'data.key')}`]
    return startProgram({ dataDirectory: join(directory, name), args, env: { LAMBENT_STORE: server.url } })
  }
  const at = (n: number) => nodes[n] ?? assert.fail(`There is no node ${n}`)
  const runs = () => readFileSync(record, 'utf8').split('\n').filter(Boolean)
  /** Sends event `id` to a node; true when it was acknowledged. */
  const send = async (node: Program, id: string, ms = 0) => {
    try {
      const response = await fetch(`${node.endpoint}/2015-03-31/functions/record/invocations`, {
        method: 'POST',
        headers: { 'x-amz-invocation-type': 'Event' },
        body: JSON.stringify({ id, ms }),
        signal: AbortSignal.timeout(20_000),
      })
      await response.arrayBuffer()
      return response.status === 202
    } catch {
      return false
    }
  }
  const sendAll = async (prefix: string, count: number, to: readonly Program[], ms = 0) => {
    const acknowledged: string[] = []
    let next = 0
    const sender = async () => {
      while (next < count) {
        const n = next++
        const node = to[n % to.length]
        if (node && (await send(node, `${prefix}-${n}`, ms))) acknowledged.push(`${prefix}-${n}`)
      }
    }
    await Promise.all(Array.from({ length: 12 }, sender))
    return acknowledged
  }
  const allRan = (ids: readonly string[], what: string, timeoutMs = 20_000) =>
    eventually(
      what,
      async () => {
        const ran = new Set(runs())
        return ids.every((id) => ran.has(id)) || undefined
      },
      timeoutMs,
    )
  const isShared = (count: number) =>
    eventually('the queues are shared out', async () => {
      const owned = await Promise.all(nodes.map(async (node) => (await healthOf(node)).asyncQueues))
      const isFair = owned.every(
        (queues) => queues <= Math.ceil(32 / count) + Math.ceil(16 / count) && queues > 0,
      )
      return (isFair && owned.reduce((sum, queues) => sum + queues, 0) === 48) || undefined
    })

  before(async () => {
    directory = await temporaryDirectory({ after: (run) => void cleanups.push(run) })
    record = join(directory, 'record.txt')
    appendFileSync(record, '')
    writeFileSync(join(directory, 'data.key'), `${randomBytes(32).toString('hex')}\n`)
    server = await startPostgres()
    nodes = await Promise.all(['one', 'two', 'three'].map(start))
  })
  after(async () => {
    for (const node of nodes) node.child.kill('SIGCONT')
    await Promise.all(nodes.map((node) => node.stop()))
    for (const cleanup of cleanups) await cleanup()
    await server.remove()
  })

  it('what is created at one node is invoked at the others', async () => {
    const lambda = lambdaClient(at(0).endpoint)
    await createFunction(lambda, {
      FunctionName: 'record',
      files: {
        'index.js': `const { appendFileSync } = require('node:fs')
exports.handler = async ({ id, ms = 0 }) => {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms))
  if (id) appendFileSync(process.env.RECORD, id + '\\n')
  return process.env.WORD
}`,
      },
      Environment: { Variables: { RECORD: record, WORD: 'sealed' } },
    })
    await createFunction(lambda, {
      FunctionName: 'durable',
      files: {
        'index.js': `const { appendFileSync, readFileSync } = require('node:fs')
exports.handler = async () => {
  const first = !readFileSync(process.env.RECORD, 'utf8').includes('durable began')
  appendFileSync(process.env.RECORD, 'durable began\\n')
  if (first) await new Promise((resolve) => setTimeout(resolve, 60_000))
  return { Status: 'SUCCEEDED', Result: '"done"' }
}`,
      },
      Timeout: 120,
      DurableConfig: { ExecutionTimeout: 300, RetentionPeriodInDays: 1 },
      Environment: { Variables: { RECORD: record } },
    })
    for (const node of nodes)
      assert.equal((await invoke(lambdaClient(node.endpoint), 'record', {})).payload, 'sealed')
    const other = lambdaClient(at(2).endpoint)
    await other.send(
      new UpdateFunctionConfigurationCommand({ FunctionName: 'record', Description: 'from three' }),
    )
    await eventually('every node sees the update', async () => {
      const seen = await Promise.all(
        nodes.map((node) =>
          lambdaClient(node.endpoint).send(new GetFunctionConfigurationCommand({ FunctionName: 'record' })),
        ),
      )
      return (
        seen.every((one) => one.Description === 'from three' && one.LastUpdateStatus === 'Successful') ||
        undefined
      )
    })
  })

  it('a queue of SQS goes to whichever node is asked for it, with what is known of its messages', async () => {
    const [one, two] = [0, 1].map(
      (n) =>
        new SQSClient({
          endpoint: at(n).endpoint,
          region: 'us-east-1',
          credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
        }),
    ) as [SQSClient, SQSClient]
    await one.send(
      new CreateQueueCommand({
        QueueName: 'q.fifo',
        Attributes: { FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '300' },
      }),
    )
    const QueueUrl = '/000000000000/q.fifo'
    const send = (node: SQSClient, MessageBody: string) =>
      node.send(new SendMessageCommand({ QueueUrl, MessageBody, MessageGroupId: 'g' }))
    const receive = async (node: SQSClient) =>
      (await node.send(new ReceiveMessageCommand({ QueueUrl }))).Messages?.[0]
    const first = await send(one, '1')
    await eventually('the other node knows the queue', async () =>
      two.send(new GetQueueUrlCommand({ QueueName: 'q.fifo' })).then(
        () => true,
        () => undefined,
      ),
    )
    assert.equal((await send(two, '1')).MessageId, first.MessageId, 'a duplicate is known there')
    await send(two, '2')
    const message = await receive(two)
    assert.equal(message?.Body, '1')
    assert.equal(await receive(one), undefined, 'the group is blocked here, too')
    await one.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }))
    assert.equal((await receive(two))?.Body, '2')
  })

  it('each node owns its share of the queues, one of them each role, and events run once', async () => {
    await isShared(3)
    const health = await Promise.all(nodes.map(healthOf))
    assert.deepEqual(health.flatMap(({ roles }) => roles).toSorted(), [
      'event-sources',
      'provisioned-concurrency',
      'recovery',
      'unused-packages',
    ])
    const acknowledged = await sendAll('steady', 150, nodes)
    assert.equal(acknowledged.length, 150)
    await allRan(acknowledged, 'every event ran')
    assert.equal(runs().filter((id) => id.startsWith('steady')).length, 150)
  })

  it('while the database is away warm functions run, writes are refused in time, and then it goes on', async (t) => {
    const ids = sendAll('outage', 120, nodes)
    await wait(100)
    await server.crash()
    const [lambda] = nodes.map((node) => lambdaClient(node.endpoint))
    assert.ok(lambda)
    assert.equal((await invoke(lambda, 'record', {})).payload, 'sealed')
    const begun = Date.now()
    const refused = await errorOf(
      lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'record', Description: 'lost' })),
    )
    const refusedMs = Date.now() - begun
    assert.equal(refused.name, 'ServiceException')
    assert.ok(refusedMs < 12_000, `refused after ${refusedMs} ms`)
    assert.equal((await invoke(lambda, 'record', {})).payload, 'sealed')
    await server.start()
    const acknowledged = await ids
    await allRan(acknowledged, 'every acknowledged event ran')
    await isShared(3)
    // A node that has just seen the database fail refuses at once for a moment, to spare it.
    await eventually(
      'a node takes events again',
      async () => (await send(at(0), 'after the outage')) || undefined,
    )
    t.diagnostic(`${acknowledged.length} of 120 acknowledged; a write was refused after ${refusedMs} ms`)
  })

  it('one node is killed and another stands still: the third runs what both have accepted', async (t) => {
    await isShared(3)
    const [one, two, three] = [at(0), at(1), at(2)]
    const begun = await lambdaClient(two.endpoint).send(
      new InvokeCommand({ FunctionName: 'durable', InvocationType: 'Event', Qualifier: '$LATEST' }),
    )
    await allRan(['durable began'], 'the durable execution began')
    const acknowledged = await sendAll('fault', 48, nodes, 500)
    three.child.kill('SIGSTOP')
    await two.kill9()
    const faultAt = Date.now()
    await allRan(acknowledged, 'every acknowledged event ran')
    const tookMs = Date.now() - faultAt
    nodes = [one]
    await isShared(1)
    await eventually('another node has carried the durable execution to its end', async () => {
      const { Status } = await lambdaClient(one.endpoint).send(
        new GetDurableExecutionCommand({ DurableExecutionArn: begun.DurableExecutionArn }),
      )
      return Status === 'SUCCEEDED' || undefined
    })
    assert.equal(runs().filter((line) => line === 'durable began').length, 2)
    // What begins now at the node that stood still would begin under an epoch that is over.
    await wait(300)
    const before = runs().length
    three.child.kill('SIGCONT')
    await wait(1_000)
    assert.equal(runs().length, before, 'the node that stood still ran events of queues that it had lost')
    const again = runs().filter((id) => id.startsWith('fault')).length - acknowledged.length
    const inFlight = 2 * 4 * availableParallelism()
    assert.ok(again <= inFlight, `${again} events ran again`)
    nodes = [one, three]
    await isShared(2)
    assert.equal(await send(three, 'after the pause'), true)
    await allRan(['after the pause'], 'the node that stood still goes on')
    t.diagnostic(`all ran within ${tookMs} ms of the fault, ${again} of ${acknowledged.length} again`)
  })

  it('a node that stops in peace has handed over before anybody would miss it', async (t) => {
    const [one, three] = [at(0), at(1)]
    const acknowledged = await sendAll('farewell', 12, [three], 300)
    await three.stop()
    nodes = [one]
    const stoppedAt = Date.now()
    await isShared(1)
    const tookMs = Date.now() - stoppedAt
    assert.ok(tookMs < 4_500, `its queues were taken over after ${tookMs} ms`)
    await allRan(acknowledged, 'every acknowledged event ran')
    t.diagnostic(`its queues were taken over after ${tookMs} ms`)
  })

  it('all nodes and the database are killed: what was accepted runs after the next start', async () => {
    const acknowledged = await sendAll('all', 60, nodes, 100)
    await Promise.all([server.crash(), ...nodes.map((node) => node.kill9())])
    await server.start()
    nodes = [await start('one')]
    await allRan(acknowledged, 'every acknowledged event ran')
  })
})
