/** Event source mappings through the SDK for JavaScript, and briefly through the AWS CLI and boto3. */
// parity: UpdateEventSourceMapping/ResourceInUseException DeleteEventSourceMapping/ResourceInUseException
// parity: CreateEventSourceMapping GetEventSourceMapping ListEventSourceMappings UpdateEventSourceMapping
// parity: DeleteEventSourceMapping
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import {
  CreateEventSourceMappingCommand,
  DeleteEventSourceMappingCommand,
  DeleteFunctionCommand,
  GetEventSourceMappingCommand,
  ListTagsCommand,
  paginateListEventSourceMappings,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  type EventSourceMappingConfiguration,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { mappingInTransitionKey } from '#contracts/keys.ts'
import type { EventSourceMapping } from '#contracts/mapping.ts'
import { systemClock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

import { createFunction, errorOf, eventually, lambdaClient } from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'
import { clientEnvironment, pythonClients } from '../support/python-clients.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000'
const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:queue'
const STREAM = 'arn:aws:kinesis:us-east-1:000000000000:stream/stream'
const files = { 'index.mjs': `export const handler = async (event) => event` }
const SECRET = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:s'

const get = (lambda: LambdaClient, UUID: string | undefined) =>
  lambda.send(new GetEventSourceMappingCommand({ UUID }))

const settled = (lambda: LambdaClient, UUID: string | undefined) =>
  eventually('the mapping has settled', async () => {
    const mapping = await get(lambda, UUID)
    return mapping.State === 'Enabled' || mapping.State === 'Disabled' ? mapping : undefined
  })

const gone = (lambda: LambdaClient, UUID: string | undefined) =>
  eventually('the mapping is gone', () =>
    get(lambda, UUID).then(
      () => undefined,
      (error: Error) => error.name === 'ResourceNotFoundException' || undefined,
    ),
  )

describe('event source mappings', () => {
  let program: Program
  let lambda: LambdaClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    await createFunction(lambda, { FunctionName: 'fn', files, Publish: true })
  })
  after(() => program.stop())

  const create = (input: Partial<CreateEventSourceMappingCommandInput>) =>
    lambda.send(new CreateEventSourceMappingCommand({ FunctionName: 'fn', ...input }))
  const list = async (input: { FunctionName?: string; EventSourceArn?: string }) => {
    const found: EventSourceMappingConfiguration[] = []
    for await (const page of paginateListEventSourceMappings({ client: lambda, pageSize: 2 }, input)) {
      found.push(...(page.EventSourceMappings ?? []))
    }
    return found
  }

  test('a queue: created, read, changed, listed, deleted', async () => {
    const { $metadata, UUID, LastModified, ...created } = await create({ EventSourceArn: QUEUE })
    assert.equal($metadata.httpStatusCode, 202)
    assert.ok(LastModified && Math.abs(Date.now() - LastModified.getTime()) < 60_000)
    const expected = {
      BatchSize: 10,
      EventSourceArn: QUEUE,
      EventSourceMappingArn: `${ARN}:event-source-mapping:${UUID}`,
      FunctionArn: `${ARN}:function:fn`,
      FunctionResponseTypes: [],
      MaximumBatchingWindowInSeconds: 0,
      StateTransitionReason: 'USER_INITIATED',
    }
    assert.deepEqual(created, { ...expected, State: 'Creating' })
    const read = await settled(lambda, UUID)
    assert.equal(read.State, 'Enabled')

    const Pattern = JSON.stringify({ body: { price: [{ numeric: ['>', 100] }] } })
    const changed = await lambda.send(
      new UpdateEventSourceMappingCommand({
        UUID,
        BatchSize: 100,
        MaximumBatchingWindowInSeconds: 5,
        FilterCriteria: { Filters: [{ Pattern }] },
        ScalingConfig: { MaximumConcurrency: 2 },
        FunctionResponseTypes: ['ReportBatchItemFailures'],
      }),
    )
    assert.deepEqual([changed.$metadata.httpStatusCode, changed.State], [202, 'Updating'])
    const { $metadata: _metadata, LastModified: _modified, ...after } = await settled(lambda, UUID)
    assert.deepEqual(after, {
      ...expected,
      UUID,
      BatchSize: 100,
      MaximumBatchingWindowInSeconds: 5,
      FilterCriteria: { Filters: [{ Pattern }] },
      ScalingConfig: { MaximumConcurrency: 2 },
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      State: 'Enabled',
    })
    const [listed] = await list({ EventSourceArn: QUEUE })
    assert.equal(listed?.UUID, UUID)
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }))
    assert.equal((await settled(lambda, UUID)).State, 'Disabled')

    const deleted = await lambda.send(new DeleteEventSourceMappingCommand({ UUID }))
    assert.deepEqual([deleted.$metadata.httpStatusCode, deleted.State], [202, 'Deleting'])
    await gone(lambda, UUID)
    assert.deepEqual(await list({ FunctionName: 'fn' }), [])
  })

  test('a stream: every default that AWS answers, and a position in time', async () => {
    const at = new Date('2026-01-02T03:04:05.678Z')
    const { $metadata, UUID, LastModified, EventSourceMappingArn, ...created } = await create({
      EventSourceArn: STREAM,
      StartingPosition: 'AT_TIMESTAMP',
      StartingPositionTimestamp: at,
      Enabled: false,
    })
    assert.ok($metadata && LastModified && EventSourceMappingArn)
    assert.deepEqual(created, {
      BatchSize: 100,
      BisectBatchOnFunctionError: false,
      DestinationConfig: { OnFailure: {} },
      EventSourceArn: STREAM,
      FunctionArn: `${ARN}:function:fn`,
      FunctionResponseTypes: [],
      LastProcessingResult: 'No records processed',
      MaximumBatchingWindowInSeconds: 0,
      MaximumRecordAgeInSeconds: -1,
      MaximumRetryAttempts: -1,
      ParallelizationFactor: 1,
      StartingPosition: 'AT_TIMESTAMP',
      StartingPositionTimestamp: at,
      State: 'Creating',
      StateTransitionReason: 'User action',
      TumblingWindowInSeconds: 0,
    })
    assert.equal((await settled(lambda, UUID)).State, 'Disabled')
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID }))
    await gone(lambda, UUID)
  })

  test('Kafka, brokers and DocumentDB', async () => {
    const sources: readonly (readonly [Partial<CreateEventSourceMappingCommandInput>, object])[] = [
      [
        {
          EventSourceArn: 'arn:aws:kafka:us-east-1:000000000000:cluster/c/11f04185-5',
          Topics: ['orders'],
          StartingPosition: 'LATEST',
          AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'orders-group' },
          ProvisionedPollerConfig: { MinimumPollers: 2, MaximumPollers: 4 },
        },
        {
          AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'orders-group' },
          ProvisionedPollerConfig: { MinimumPollers: 2, MaximumPollers: 4 },
        },
      ],
      [
        {
          SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['b:9092', 'a:9092'] } },
          Topics: ['orders'],
          StartingPosition: 'TRIM_HORIZON',
          SourceAccessConfigurations: [{ Type: 'SASL_SCRAM_512_AUTH', URI: SECRET }],
        },
        { SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['a:9092', 'b:9092'] } } },
      ],
      [
        {
          EventSourceArn: 'arn:aws:mq:us-east-1:000000000000:broker:b:b-1',
          Queues: ['orders'],
          SourceAccessConfigurations: [
            { Type: 'BASIC_AUTH', URI: SECRET },
            { Type: 'VIRTUAL_HOST', URI: '/vhost' },
          ],
        },
        { Queues: ['orders'], LastProcessingResult: 'No records processed' },
      ],
      [
        {
          EventSourceArn: 'arn:aws:rds:us-east-1:000000000000:cluster:documents',
          StartingPosition: 'LATEST',
          DocumentDBEventSourceConfig: {
            DatabaseName: 'db',
            CollectionName: 'c',
            FullDocument: 'UpdateLookup',
          },
          SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: SECRET }],
        },
        {
          DocumentDBEventSourceConfig: {
            DatabaseName: 'db',
            CollectionName: 'c',
            FullDocument: 'UpdateLookup',
          },
        },
      ],
    ]
    for (const [input, expected] of sources) {
      const created = await create(input)
      const picked = Object.fromEntries(Object.keys(expected).map((key) => [key, created[key as 'UUID']]))
      assert.deepEqual(picked, expected)
      await settled(lambda, created.UUID)
      await lambda.send(new DeleteEventSourceMappingCommand({ UUID: created.UUID }))
    }
  })

  test('a mapping that is being changed takes no other change', async () => {
    const refusalOf = async (request: () => Promise<unknown>) => {
      const answers = await Promise.allSettled([request(), request(), request(), request()])
      for (const answer of answers) {
        const told = answer.status === 'rejected' && (await errorOf(Promise.reject(answer.reason as Error)))
        if (told && told.name === 'ResourceInUseException') return told
      }
    }
    for (const [verb, Command] of [
      ['update', UpdateEventSourceMappingCommand],
      ['delete', DeleteEventSourceMappingCommand],
    ] as const) {
      // All but the first find it on its way, unless they are late: then once more.
      const told = await eventually('one comes while another is carried out', async () => {
        const { UUID } = await create({ EventSourceArn: QUEUE })
        await settled(lambda, UUID)
        const refusal = await refusalOf(() => lambda.send(new Command({ UUID }) as never))
        if (verb === 'update') {
          await settled(lambda, UUID)
          await lambda.send(new DeleteEventSourceMappingCommand({ UUID }))
        }
        await gone(lambda, UUID)
        return refusal
      })
      assert.deepEqual(told, {
        name: 'ResourceInUseException',
        message: `Cannot ${verb} the event source mapping because it is in use.`,
        status: 400,
      })
    }
  })

  test("refusals have AWS's names, statuses and texts", async () => {
    const { UUID } = await create({ EventSourceArn: QUEUE })
    await settled(lambda, UUID)
    assert.deepEqual(await errorOf(create({ EventSourceArn: QUEUE })), {
      name: 'ResourceConflictException',
      message: `An event source mapping with SQS arn (" ${QUEUE} ") and function (" fn ") already exists. Please update or delete the existing mapping with UUID ${UUID}`,
      status: 409,
    })
    const cases: readonly (readonly [Partial<CreateEventSourceMappingCommandInput>, string, string])[] = [
      [
        { FunctionName: 'nobody', EventSourceArn: QUEUE },
        'InvalidParameterValueException',
        'Function does not exist',
      ],
      [{}, 'InvalidParameterValueException', 'Unrecognized event source.'],
      [
        { EventSourceArn: STREAM, StartingPosition: '0' as 'LATEST' },
        'ValidationException',
        "1 validation error detected: Value '0' at 'startingPosition' failed to satisfy constraint: Member must satisfy enum value set: [LATEST, AT_TIMESTAMP, TRIM_HORIZON]",
      ],
      [
        { EventSourceArn: QUEUE, BatchSize: 10_001 },
        'ValidationException',
        "1 validation error detected: Value '10001' at 'batchSize' failed to satisfy constraint: Member must have value less than or equal to 10000",
      ],
      [
        { EventSourceArn: QUEUE, FilterCriteria: { Filters: [{ Pattern: '{"a":"b"}' }] } },
        'InvalidParameterValueException',
        'Invalid filter pattern definition.',
      ],
    ]
    for (const [input, name, message] of cases) {
      assert.deepEqual(await errorOf(create(input)), { name, message, status: 400 })
    }
    const unknown = '00000000-0000-4000-8000-000000000000'
    for (const command of [
      new GetEventSourceMappingCommand({ UUID: unknown }),
      new UpdateEventSourceMappingCommand({ UUID: unknown }),
      new DeleteEventSourceMappingCommand({ UUID: unknown }),
    ]) {
      assert.deepEqual(await errorOf(lambda.send(command as GetEventSourceMappingCommand)), {
        name: 'ResourceNotFoundException',
        message: 'The resource you requested does not exist.',
        status: 404,
      })
    }
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID }))
    await gone(lambda, UUID)
  })

  test('mappings have tags', async () => {
    const { UUID, EventSourceMappingArn: Resource } = await create({
      EventSourceArn: QUEUE,
      Tags: { team: 'a' },
    })
    await lambda.send(new TagResourceCommand({ Resource, Tags: { stage: 'test' } }))
    await lambda.send(new UntagResourceCommand({ Resource, TagKeys: ['team'] }))
    assert.deepEqual((await lambda.send(new ListTagsCommand({ Resource }))).Tags, { stage: 'test' })
    await settled(lambda, UUID)
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID }))
    await gone(lambda, UUID)
    assert.equal((await errorOf(lambda.send(new ListTagsCommand({ Resource })))).status, 404)
  })

  test('lists come in pages, and mappings outlive their function', async () => {
    await createFunction(lambda, { FunctionName: 'brief', files })
    const uuids: (string | undefined)[] = []
    for (let index = 0; index < 5; index++) {
      uuids.push((await create({ FunctionName: 'brief', EventSourceArn: `${QUEUE}-${index}` })).UUID)
    }
    for (const uuid of uuids) await settled(lambda, uuid)
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'brief' }))
    const found = await list({ FunctionName: 'brief' })
    assert.deepEqual(found.map(({ UUID }) => UUID).toSorted(), uuids.toSorted())
    for (const uuid of uuids) await lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }))
    for (const uuid of uuids) await gone(lambda, uuid)
  })

  test('the AWS CLI and boto3 do the same', async (t) => {
    const clients = pythonClients()
    if (typeof clients === 'string') return t.skip(clients)
    const env = clientEnvironment(program.endpoint)
    const aws = async (...args: string[]) => {
      const { stdout } = await promisify(execFile)(clients.aws, ['lambda', ...args], { env, timeout: 60_000 })
      return JSON.parse(stdout) as EventSourceMappingConfiguration & { EventSourceMappings?: object[] }
    }
    const created = await aws(
      'create-event-source-mapping',
      '--function-name=fn',
      `--event-source-arn=${STREAM}`,
      '--starting-position=LATEST',
      '--batch-size=5',
    )
    assert.deepEqual([created.State, created.BatchSize], ['Creating', 5])
    const uuid = created.UUID ?? ''
    await settled(lambda, uuid)
    const updated = await aws('update-event-source-mapping', '--uuid', uuid, '--no-enabled')
    assert.equal(updated.State, 'Disabling')
    await settled(lambda, uuid)
    const listed = await aws('list-event-source-mappings', '--function-name', 'fn')
    assert.equal(listed.EventSourceMappings?.length, 1)
    assert.equal((await aws('get-event-source-mapping', '--uuid', uuid)).State, 'Disabled')
    assert.equal((await aws('delete-event-source-mapping', '--uuid', uuid)).State, 'Deleting')
    const { stdout } = await promisify(execFile)(
      clients.python,
      [join(import.meta.dirname, 'boto3_event_source_mappings.py')],
      { env, timeout: 60_000 },
    )
    assert.match(stdout, /all as expected/)
  })
})

test('a mapping that a crash left on its way goes on after a restart', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  let program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  let lambda = lambdaClient(program.endpoint)
  await createFunction(lambda, { FunctionName: 'fn', files })
  const uuids: (string | undefined)[] = []
  for (const name of ['creating', 'disabling', 'deleting']) {
    const created = await lambda.send(
      new CreateEventSourceMappingCommand({ FunctionName: 'fn', EventSourceArn: `${QUEUE}-${name}` }),
    )
    await settled(lambda, created.UUID)
    uuids.push(created.UUID)
  }
  await program.kill9()

  // The crash could have come a moment earlier; the documents are put back to what they were then.
  const store = await openSqliteStore({ directory: join(dataDirectory, 'store'), clock: systemClock })
  const states = ['Creating', 'Disabling', 'Deleting']
  for (const [index, uuid] of uuids.entries()) {
    const key = `mapping/000000000000/us-east-1/${uuid}`
    const mapping = (await store.meta.get(key))?.doc as unknown as EventSourceMapping
    const before = { ...mapping, state: states[index], enabled: index !== 1 }
    await store.meta.txn([
      { key, doc: before as unknown as Json },
      { key: mappingInTransitionKey(key), doc: {} },
    ])
  }
  await store.close()

  program = await startProgram({ dataDirectory })
  lambda = lambdaClient(program.endpoint)
  const [creating, disabling, deleting] = uuids
  assert.equal((await settled(lambda, creating)).State, 'Enabled')
  assert.equal((await settled(lambda, disabling)).State, 'Disabled')
  await gone(lambda, deleting)
})
