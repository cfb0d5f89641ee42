import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createMappingProgress } from './mapping-progress.ts'
import { ACCOUNT, arnOf, createControlPlane, REGION } from '../../../test/support/control-plane.ts'

const QUEUE = `arn:aws:sqs:${REGION}:${ACCOUNT}:queue`
const STREAM = `arn:aws:kinesis:${REGION}:${ACCOUNT}:stream/stream`
const TABLE = `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/table/stream/2024-01-01T00:00:00.000`
const CLUSTER = `arn:aws:kafka:${REGION}:${ACCOUNT}:cluster/c/11f04185-8ff8-4e0a-a903-2245da2e6433-5`
const BROKER = `arn:aws:mq:${REGION}:${ACCOUNT}:broker:b:b-1`
const DOCUMENTS = `arn:aws:rds:${REGION}:${ACCOUNT}:cluster:docs`
const FunctionName = 'fn'
const SQS = { FunctionName, EventSourceArn: QUEUE }
const KINESIS = { FunctionName, EventSourceArn: STREAM, StartingPosition: 'LATEST' }
const MSK = { FunctionName, EventSourceArn: CLUSTER, Topics: ['t1'], StartingPosition: 'TRIM_HORIZON' }
const SourceAccessConfigurations = [{ Type: 'VPC_SUBNET', URI: 'subnet:subnet-1' }]
const KAFKA = {
  FunctionName,
  SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['b:9092', 'a:9092'] } },
  Topics: ['t1'],
  StartingPosition: 'TRIM_HORIZON',
  SourceAccessConfigurations,
}
const MQ = {
  FunctionName,
  EventSourceArn: BROKER,
  Queues: ['q'],
  SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: 'arn:aws:secretsmanager:x' }],
}
const DOCDB = {
  FunctionName,
  EventSourceArn: DOCUMENTS,
  StartingPosition: 'LATEST',
  DocumentDBEventSourceConfig: { DatabaseName: 'db' },
  SourceAccessConfigurations: [{ Type: 'BASIC_AUTH', URI: 'arn:aws:secretsmanager:x' }],
}

async function withFunction() {
  const plane = createControlPlane()
  await plane.create('fn')
  /** Creates a mapping, waits until it has settled, and answers it as it is then. */
  const map = async (request: object) => {
    const { UUID } = await plane.call('CreateEventSourceMapping', request)
    await plane.settle()
    return await plane.call('GetEventSourceMapping', { UUID })
  }
  const refuse = async (request: object) => {
    const { code, message, status } = await plane.fail('CreateEventSourceMapping', request)
    assert.equal(status, code === 'ResourceConflictException' ? 409 : 400)
    return `${code}: ${message}`
  }
  return { ...plane, map, refuse }
}

const parameter = (text: string) => `InvalidParameterValueException: ${text}`

/** Members that every answer has, and that differ from run to run. */
function stable({ UUID, EventSourceMappingArn, LastModified, ...rest }: Record<string, unknown>) {
  assert.match(String(UUID), /^[0-9a-f-]{36}$/)
  assert.equal(
    EventSourceMappingArn,
    `arn:aws:lambda:${REGION}:${ACCOUNT}:event-source-mapping:${String(UUID)}`,
  )
  assert.ok(LastModified)
  return rest
}

const FunctionArn = arnOf('fn')
const CREATED_STREAM = {
  BatchSize: 100,
  BisectBatchOnFunctionError: false,
  DestinationConfig: { OnFailure: {} },
  FunctionArn,
  FunctionResponseTypes: [],
  LastProcessingResult: 'No records processed',
  MaximumBatchingWindowInSeconds: 0,
  MaximumRecordAgeInSeconds: -1,
  MaximumRetryAttempts: -1,
  ParallelizationFactor: 1,
  StartingPosition: 'LATEST',
  State: 'Creating',
  StateTransitionReason: 'User action',
  TumblingWindowInSeconds: 0,
}

test('mappings: answer what AWS answers for each kind of source', async () => {
  const { call } = await withFunction()
  const create = async (request: object) => stable(await call('CreateEventSourceMapping', request))
  // Recorded from AWS.
  assert.deepEqual(await create(SQS), {
    BatchSize: 10,
    EventSourceArn: QUEUE,
    FunctionArn,
    FunctionResponseTypes: [],
    MaximumBatchingWindowInSeconds: 0,
    State: 'Creating',
    StateTransitionReason: 'USER_INITIATED',
  })
  assert.deepEqual(await create(KINESIS), { ...CREATED_STREAM, EventSourceArn: STREAM })
  assert.deepEqual(await create({ ...KINESIS, EventSourceArn: TABLE }), {
    ...CREATED_STREAM,
    EventSourceArn: TABLE,
  })
  const broker = {
    BatchSize: 100,
    FunctionArn,
    LastProcessingResult: 'No records processed',
    State: 'Creating',
    StateTransitionReason: 'USER_INITIATED',
  }
  const group = { AmazonManagedKafkaEventSourceConfig: { ConsumerGroupId: 'group' } }
  assert.deepEqual(await create({ ...MSK, ...group }), {
    ...broker,
    ...group,
    EventSourceArn: CLUSTER,
    StartingPosition: 'TRIM_HORIZON',
    Topics: ['t1'],
  })
  const kafka = await call('CreateEventSourceMapping', KAFKA)
  assert.deepEqual(stable(kafka), {
    ...broker,
    SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['a:9092', 'b:9092'] } },
    SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: kafka['UUID'] },
    SourceAccessConfigurations,
    StartingPosition: 'TRIM_HORIZON',
    Topics: ['t1'],
  })
  assert.deepEqual(await create(MQ), {
    ...broker,
    EventSourceArn: BROKER,
    Queues: ['q'],
    SourceAccessConfigurations: MQ.SourceAccessConfigurations,
  })
  assert.deepEqual(await create(DOCDB), {
    ...broker,
    DocumentDBEventSourceConfig: { DatabaseName: 'db', FullDocument: 'Default' },
    EventSourceArn: DOCUMENTS,
    SourceAccessConfigurations: DOCDB.SourceAccessConfigurations,
    StartingPosition: 'LATEST',
  })
})

test('mappings: keep what was asked for', async () => {
  const { map } = await withFunction()
  const stream = {
    ...KINESIS,
    EventSourceArn: `${STREAM}/consumer/c:1700000000`,
    BatchSize: 1000,
    MaximumBatchingWindowInSeconds: 5,
    ParallelizationFactor: 10,
    MaximumRecordAgeInSeconds: 60,
    MaximumRetryAttempts: 0,
    BisectBatchOnFunctionError: true,
    TumblingWindowInSeconds: 900,
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::bucket' } },
    FilterCriteria: { Filters: [{ Pattern: '{"data":{"a":[1]}}' }] },
    MetricsConfig: { Metrics: ['EventCount'] },
  }
  const { FunctionName: _name, ...asked } = stream
  const created = await map({ ...stream, Tags: { a: 'b' } })
  assert.deepEqual(stable(created), { ...CREATED_STREAM, ...asked, State: 'Enabled' })

  const queue = await map({
    ...SQS,
    Enabled: false,
    ProvisionedPollerConfig: { MinimumPollers: 5 },
  })
  assert.equal(queue['State'], 'Disabled')
  assert.deepEqual(queue['ProvisionedPollerConfig'], { MinimumPollers: 5, MaximumPollers: 200 })
  const fifo = await map({
    ...SQS,
    EventSourceArn: `${QUEUE}.fifo`,
    ScalingConfig: { MaximumConcurrency: 2 },
  })
  assert.deepEqual(fifo['ScalingConfig'], { MaximumConcurrency: 2 })

  const registry = {
    SchemaRegistryURI: 'arn:aws:glue:us-east-1:000000000000:registry/r',
    EventRecordFormat: 'JSON',
    AccessConfigs: [{ Type: 'BASIC_AUTH', URI: 'arn:aws:secretsmanager:us-east-1:000000000000:secret:s' }],
    SchemaValidationConfigs: [{ Attribute: 'KEY' }, { Attribute: 'VALUE' }],
  }
  const msk = await map({
    ...MSK,
    AmazonManagedKafkaEventSourceConfig: { SchemaRegistryConfig: registry },
    ProvisionedPollerConfig: { MaximumPollers: 3, PollerGroupName: 'group' },
    DestinationConfig: { OnFailure: { Destination: 'kafka://failed' } },
    LoggingConfig: { SystemLogLevel: 'DEBUG' },
    MetricsConfig: { Metrics: ['ErrorCount', 'KafkaMetrics'] },
  })
  assert.deepEqual(msk['AmazonManagedKafkaEventSourceConfig'], {
    ConsumerGroupId: msk['UUID'],
    SchemaRegistryConfig: registry,
  })
  assert.deepEqual(msk['ProvisionedPollerConfig'], {
    MinimumPollers: 1,
    MaximumPollers: 3,
    PollerGroupName: 'group',
  })
  assert.deepEqual(msk['DestinationConfig'], { OnFailure: { Destination: 'kafka://failed' } })
  assert.deepEqual(msk['LoggingConfig'], { SystemLogLevel: 'DEBUG' })
})

test('mappings: refuse what is not for the source, and write nothing', async () => {
  const { refuse, documents } = await withFunction()
  const before = await documents()
  const unsupported = (name: string) =>
    parameter(`Unsupported '${name}' parameter for given event source mapping type.`)
  const cases: readonly (readonly [object, string])[] = [
    [{ FunctionName }, parameter('Unrecognized event source.')],
    [{ FunctionName: 'nobody' }, parameter('Unrecognized event source.')],
    [{ ...SQS, FunctionName: 'nobody' }, parameter('Function does not exist')],
    [{ ...SQS, FunctionName: 'fn:nobody' }, parameter('Function does not exist')],
    [{ ...SQS, FunctionName: 'fn:7' }, parameter('Function does not exist')],
    [{ ...SQS, EventSourceArn: 'arn:aws:s3:::bucket' }, parameter('Unrecognized event source.')],
    [{ ...SQS, EventSourceArn: TABLE.split('/stream')[0] }, parameter('Unrecognized event source.')],
    [
      { ...SQS, SelfManagedEventSource: KAFKA.SelfManagedEventSource },
      parameter('Unrecognized event source.'),
    ],
    [
      { ...SQS, StartingPosition: 'LATEST' },
      parameter('StartingPosition is not valid for SQS event sources.'),
    ],
    [
      { ...SQS, DestinationConfig: { OnSuccess: { Destination: QUEUE } } },
      parameter('Unsupported DestinationConfig parameter for given event source mapping type.'),
    ],
    [
      { ...KINESIS, DestinationConfig: { OnSuccess: {} } },
      parameter('Unsupported DestinationConfig parameter for given event source mapping type.'),
    ],
    [
      { ...SQS, DestinationConfig: { OnFailure: { Destination: QUEUE } } },
      parameter('Unsupported DestinationConfig parameter for given event source mapping type.'),
    ],
    [{ ...SQS, ParallelizationFactor: 1 }, unsupported('parallelizationFactor')],
    [{ ...SQS, MaximumRetryAttempts: 1 }, unsupported('maximumRetryAttempts')],
    [{ ...SQS, Topics: ['t'] }, unsupported('topics')],
    [{ ...KINESIS, ScalingConfig: { MaximumConcurrency: 2 } }, unsupported('scalingConfig')],
    [{ ...KINESIS, ProvisionedPollerConfig: { MinimumPollers: 1 } }, unsupported('provisionedPollerConfig')],
    [{ ...MSK, TumblingWindowInSeconds: 1 }, unsupported('tumblingWindowInSeconds')],
    [{ ...MQ, FunctionResponseTypes: ['ReportBatchItemFailures'] }, unsupported('functionResponseTypes')],
    [{ ...DOCDB, MetricsConfig: { Metrics: ['EventCount'] } }, unsupported('metricsConfig')],
    [
      { ...SQS, BatchSize: 11 },
      parameter(
        'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
      ),
    ],
    [
      { ...SQS, EventSourceArn: `${QUEUE}.fifo`, BatchSize: 100, MaximumBatchingWindowInSeconds: 5 },
      parameter('Batching window is not supported for FIFO queues'),
    ],
    [
      { ...SQS, EventSourceArn: `${QUEUE}.fifo`, BatchSize: 11 },
      parameter('Maximum batch size must be between 1 and 10 inclusive'),
    ],
    [
      { FunctionName, EventSourceArn: STREAM },
      parameter(
        "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
      ),
    ],
    [
      { ...KINESIS, StartingPositionTimestamp: new Date(1) },
      parameter('Timestamp only valid with StartingPosition AT_TIMESTAMP'),
    ],
    [{ ...KINESIS, StartingPosition: 'AT_TIMESTAMP' }, parameter('Need to specify a timestamp')],
    [
      { ...KINESIS, StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: new Date(-1000) },
      parameter(
        'Received Exception while reading from provided stream. class java.lang.Long can not be converted to a Timestamp',
      ),
    ],
    [
      {
        ...KINESIS,
        EventSourceArn: TABLE,
        StartingPosition: 'AT_TIMESTAMP',
        StartingPositionTimestamp: new Date(1),
      },
      parameter(`Unsupported starting position for arn type: ${TABLE}`),
    ],
    [
      { ...KINESIS, MaximumRecordAgeInSeconds: 59 },
      parameter('MaximumRecordAgeInSeconds must be either -1 (forever) or between 60 and 604800 (inclusive)'),
    ],
    [
      { ...KINESIS, DestinationConfig: { OnFailure: { Destination: FunctionArn } } },
      parameter(
        `The provided destination config DestinationConfig(onSuccess=null, onFailure=OnFailure(destination=${FunctionArn})) is invalid.`,
      ),
    ],
    [
      { ...KAFKA, SourceAccessConfigurations: undefined },
      parameter("Required 'sourceAccessConfigurations' parameter is missing."),
    ],
    [{ ...MSK, Topics: undefined }, parameter("Required 'topics' parameter is missing.")],
    [{ ...MQ, Queues: undefined }, parameter("Required 'queues' parameter is missing.")],
    ...['', '{}', '{"a":"b"}', 'text'].map(
      (Pattern) =>
        [
          { ...SQS, FilterCriteria: { Filters: [{ Pattern }] } },
          parameter('Invalid filter pattern definition.'),
        ] as const,
    ),
    [
      { ...SQS, Tags: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v'])) },
      parameter('Number of tags exceeds resource tag limit.'),
    ],
  ]
  for (const [request, expected] of cases) assert.equal(await refuse(request), expected)
  for (const request of [
    { ...SQS, ProvisionedPollerConfig: { MinimumPollers: 1 } },
    { ...SQS, ProvisionedPollerConfig: { MinimumPollers: 9, MaximumPollers: 3 } },
    { ...SQS, ProvisionedPollerConfig: { MinimumPollers: 2 }, ScalingConfig: { MaximumConcurrency: 2 } },
    { ...MSK, ProvisionedPollerConfig: { MaximumPollers: 2001 } },
    { ...SQS, MetricsConfig: { Metrics: ['KafkaMetrics'] } },
    { ...MQ, SourceAccessConfigurations: [{ Type: 'VPC_SUBNET', URI: 'x' }] },
    { ...SQS, FilterCriteria: { Filters: Array.from({ length: 11 }, () => ({ Pattern: '{"a":[1]}' })) } },
    { ...KAFKA, SelfManagedKafkaEventSourceConfig: { ConsumptionMode: 'Queue' } },
  ]) {
    assert.match(await refuse(request), /^InvalidParameterValueException: /)
  }
  assert.deepEqual(await documents(), before)
})

test('mappings: name the function as the request does', async () => {
  const { create, call, map } = await withFunction()
  await create('other', { Publish: true })
  await call('CreateAlias', { FunctionName: 'other', Name: 'live', FunctionVersion: '1' })
  const names: readonly (readonly [string, string])[] = [
    ['other', arnOf('other')],
    [`${ACCOUNT}:function:other:$LATEST`, arnOf('other', '$LATEST')],
    [arnOf('other', '1'), arnOf('other', '1')],
    ['other:live', arnOf('other', 'live')],
  ]
  for (const [name, arn] of names)
    assert.equal((await map({ ...SQS, FunctionName: name }))['FunctionArn'], arn)
  const listed = async (request: object) =>
    (await call('ListEventSourceMappings', request))['EventSourceMappings'].map(
      (mapping: { FunctionArn: string }) => mapping.FunctionArn,
    )
  for (const [name, arn] of names) assert.deepEqual(await listed({ FunctionName: name }), [arn])
  assert.deepEqual(await listed({ FunctionName: 'nobody:deployed' }), [])
})

test('mappings: a function is mapped to the same records only once', async () => {
  const { map, refuse, call, settle } = await withFunction()
  const queue = (await map(SQS))['UUID']
  const conflict = 'Please update or delete the existing mapping with UUID'
  // Recorded from AWS.
  const sqsText = `ResourceConflictException: An event source mapping with SQS arn (" ${QUEUE} ") and function (" fn ") already exists. ${conflict} ${queue}`
  assert.equal(await refuse(SQS), sqsText)
  assert.equal(await refuse({ ...SQS, FunctionName: arnOf('fn') }), sqsText)
  const stream = (await map(KINESIS))['UUID']
  assert.equal(
    await refuse(KINESIS),
    `ResourceConflictException: The event source arn (" ${STREAM} ") and function (" fn ") provided mapping already exists. ${conflict} ${stream}`,
  )
  const kafka = (await map(KAFKA))['UUID']
  // One server and one topic in common are enough.
  const other = { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['b:9092', 'c:9092'] } }
  assert.equal(
    await refuse({ ...KAFKA, SelfManagedEventSource: other }),
    `ResourceConflictException: An event source mapping with event source ("b:9092,c:9092"), function ("${FunctionArn}"), topics ("t1") already exists. ${conflict} ${kafka}`,
  )
  await map({ ...KAFKA, Topics: ['t2'] })
  // Another way to name the function is another target.
  await map({ ...SQS, FunctionName: 'fn:$LATEST' })
  // Two at once: one of them has it.
  const both = await Promise.allSettled([
    call('CreateEventSourceMapping', MQ),
    call('CreateEventSourceMapping', MQ),
  ])
  assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  await call('DeleteEventSourceMapping', { UUID: queue })
  await settle()
  await map(SQS)
})

test('mappings: change, and take settings away', async () => {
  const { map, call, settle, create, fail, documents } = await withFunction()
  await create('other')
  const { UUID } = await map({
    ...SQS,
    FilterCriteria: { Filters: [{ Pattern: '{"body":{"a":[1]}}' }] },
    ScalingConfig: { MaximumConcurrency: 5 },
    FunctionResponseTypes: ['ReportBatchItemFailures'],
    MetricsConfig: { Metrics: ['EventCount'] },
  })
  const update = async (change: object) => {
    const answer = await call('UpdateEventSourceMapping', { UUID, ...change })
    await settle()
    return { answer, state: (await call('GetEventSourceMapping', { UUID }))['State'] }
  }
  assert.deepEqual((await update({ BatchSize: 5 })).answer['State'], 'Updating')
  const off = await update({ Enabled: false })
  assert.deepEqual([off.answer['State'], off.state], ['Disabling', 'Disabled'])
  const still = await update({ BatchSize: 6 })
  assert.deepEqual([still.answer['State'], still.state], ['Updating', 'Disabled'])
  const on = await update({ Enabled: true })
  assert.deepEqual([on.answer['State'], on.state, on.answer['BatchSize']], ['Enabling', 'Enabled', 6])
  const emptied = await update({
    FilterCriteria: {},
    ScalingConfig: {},
    FunctionResponseTypes: [],
    MetricsConfig: { Metrics: [] },
    FunctionName: 'other',
  })
  assert.deepEqual(stable(emptied.answer), {
    BatchSize: 6,
    EventSourceArn: QUEUE,
    FunctionArn: arnOf('other'),
    FunctionResponseTypes: [],
    MaximumBatchingWindowInSeconds: 0,
    State: 'Updating',
    StateTransitionReason: 'USER_INITIATED',
  })
  const before = await documents()
  assert.equal(
    (await fail('UpdateEventSourceMapping', { UUID, BatchSize: 50 })).code,
    'InvalidParameterValueException',
  )
  assert.equal((await fail('UpdateEventSourceMapping', { UUID, ParallelizationFactor: 2 })).status, 400)
  assert.equal(
    (await fail('UpdateEventSourceMapping', { UUID, FunctionName: 'nobody' })).message,
    'Function does not exist',
  )
  assert.deepEqual(await documents(), before)
  // The first function's place is free, the second one's is taken.
  const again = await map(SQS)
  const taken = await fail('UpdateEventSourceMapping', { UUID: again['UUID'], FunctionName: 'other' })
  assert.equal(taken.code, 'ResourceConflictException')
})

test('mappings: nothing else is asked of one that is on its way', async () => {
  const { map, call, fail, settle, pollers } = await withFunction()
  const missing = {
    code: 'ResourceNotFoundException',
    message: 'The resource you requested does not exist.',
    status: 404,
  }
  const UUID = (await map(SQS))['UUID']
  const inUse = (verb: string) => ({
    code: 'ResourceInUseException',
    message: `Cannot ${verb} the event source mapping because it is in use.`,
    status: 400,
  })
  pollers.hold()
  await call('UpdateEventSourceMapping', { UUID, Enabled: false })
  await settle()
  assert.equal((await call('GetEventSourceMapping', { UUID }))['State'], 'Disabling')
  assert.deepEqual(await fail('UpdateEventSourceMapping', { UUID, Enabled: true }), inUse('update'))
  assert.deepEqual(await fail('DeleteEventSourceMapping', { UUID }), inUse('delete'))
  await call('TagResource', {
    Resource: `arn:aws:lambda:${REGION}:${ACCOUNT}:event-source-mapping:${UUID}`,
    Tags: { a: '1' },
  })
  pollers.release()
  await settle()
  assert.equal((await call('GetEventSourceMapping', { UUID }))['State'], 'Disabled')
  pollers.hold()
  assert.equal((await call('DeleteEventSourceMapping', { UUID }))['State'], 'Deleting')
  assert.equal((await call('GetEventSourceMapping', { UUID }))['State'], 'Deleting')
  assert.deepEqual(await fail('DeleteEventSourceMapping', { UUID }), inUse('delete'))
  pollers.release()
  await settle()
  for (const operation of ['Get', 'Update', 'Delete']) {
    assert.deepEqual(await fail(`${operation}EventSourceMapping`, { UUID }), missing)
  }
})

test('mappings: what is in the way is waited out, and a start takes up what was left', async () => {
  const { call, settle, pollers, clock, meta, mappingProgress } = await withFunction()
  pollers.hold()
  const { UUID } = await call('CreateEventSourceMapping', SQS)
  await settle()
  pollers.release(new Error('not now'))
  await settle()
  assert.equal((await call('GetEventSourceMapping', { UUID }))['State'], 'Creating')
  clock.advance(1_000)
  await settle()
  assert.equal((await call('GetEventSourceMapping', { UUID }))['State'], 'Enabled')

  pollers.hold()
  await call('DeleteEventSourceMapping', { UUID })
  const other = await call('CreateEventSourceMapping', { ...KINESIS, Enabled: false })
  await mappingProgress.stop()
  const restarted = createMappingProgress({
    meta,
    pollers: { apply: async () => {} },
    clock,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  })
  await restarted.start()
  await settle()
  const left = (await call('ListEventSourceMappings', {}))['EventSourceMappings']
  assert.deepEqual(
    left.map((mapping: { UUID: string; State: string }) => [mapping.UUID, mapping.State]),
    [[other['UUID'], 'Disabled']],
  )
})

test('mappings: are listed in pages, by function, by source and by both', async () => {
  const { map, call, create } = await withFunction()
  await create('other')
  const uuids: string[] = []
  for (let index = 0; index < 5; index++) {
    uuids.push((await map({ ...SQS, EventSourceArn: `${QUEUE}${index}` }))['UUID'])
  }
  const shared = (await map({ ...SQS, FunctionName: 'other', EventSourceArn: `${QUEUE}0` }))['UUID']
  const pages = async (request: object) => {
    const found: string[] = []
    let Marker: string | undefined
    do {
      const page = await call('ListEventSourceMappings', { ...request, MaxItems: 2, Marker })
      found.push(...page['EventSourceMappings'].map((mapping: { UUID: string }) => mapping.UUID))
      Marker = page['NextMarker']
    } while (Marker !== undefined)
    return found
  }
  assert.deepEqual(await pages({}), [...uuids, shared].toSorted())
  assert.deepEqual(await pages({ FunctionName: 'fn' }), uuids.toSorted())
  assert.deepEqual(await pages({ EventSourceArn: `${QUEUE}0` }), [uuids[0] ?? '', shared].toSorted())
  assert.deepEqual(await pages({ FunctionName: 'other', EventSourceArn: `${QUEUE}0` }), [shared])
  assert.deepEqual(await pages({ FunctionName: 'other', EventSourceArn: `${QUEUE}1` }), [])
})

test('mappings: outlive their function', async () => {
  const { map, call, refuse, create } = await withFunction()
  const UUID = (await map(SQS))['UUID']
  await call('DeleteFunction', { FunctionName })
  assert.equal((await call('GetEventSourceMapping', { UUID }))['State'], 'Enabled')
  assert.equal((await call('ListEventSourceMappings', { FunctionName }))['EventSourceMappings'].length, 1)
  await create('fn')
  assert.match(await refuse(SQS), /already exists/)
})

test('mappings: filters under a key are not listed, and unreadable without the key', async () => {
  const { map, call, fail, store, settle, kms } = await withFunction()
  const newKey = async () => {
    const { KeyMetadata } = await kms('CreateKey', {})
    const { Arn, KeyId } = KeyMetadata as { readonly Arn: string; readonly KeyId: string }
    return { KMSKeyArn: Arn, KeyId }
  }
  const FilterCriteria = { Filters: [{ Pattern: `{"body":["secret-word","${'x'.repeat(4000)}"]}` }] }
  const { KMSKeyArn, KeyId } = await newKey()
  const { UUID, ...created } = await map({ ...SQS, FilterCriteria, KMSKeyArn })
  assert.deepEqual([created['FilterCriteria'], created['KMSKeyArn']], [FilterCriteria, KMSKeyArn])
  const rows = async () => JSON.stringify(await store.meta.list('', '', 1000))
  assert.ok(!(await rows()).includes('secret-word'))
  const [listed] = (await call('ListEventSourceMappings', {}))['EventSourceMappings']
  assert.deepEqual([listed.FilterCriteria, listed.KMSKeyArn], [undefined, KMSKeyArn])

  await kms('DisableKey', { KeyId })
  const hidden = await call('GetEventSourceMapping', { UUID })
  assert.deepEqual(
    [hidden['FilterCriteria'], hidden['FilterCriteriaError'].ErrorCode],
    [undefined, 'DisabledException'],
  )
  const other = await newKey()
  for (const change of [{ KMSKeyArn: '' }, { KMSKeyArn: other.KMSKeyArn }, { FilterCriteria }]) {
    const refused = await fail('UpdateEventSourceMapping', { UUID, ...change })
    assert.equal(refused.code, 'InvalidParameterValueException')
  }
  await kms('EnableKey', { KeyId })

  const moved = await call('UpdateEventSourceMapping', { UUID, KMSKeyArn: other.KMSKeyArn })
  await settle()
  assert.deepEqual([moved['FilterCriteria'], moved['KMSKeyArn']], [FilterCriteria, other.KMSKeyArn])
  assert.ok(!(await rows()).includes('secret-word'))
  const plain = await call('UpdateEventSourceMapping', { UUID, KMSKeyArn: '' })
  await settle()
  assert.deepEqual([plain['FilterCriteria'], plain['KMSKeyArn']], [FilterCriteria, undefined])
  const unknown = await fail('UpdateEventSourceMapping', {
    UUID,
    KMSKeyArn: KMSKeyArn.replace(/[^/]*$/, 'unknown'),
  })
  assert.match(unknown.message, /KMS Exception: NotFoundException/)
})

test('mappings: have tags', async () => {
  const { map, call, fail } = await withFunction()
  const Resource = (await map({ ...SQS, Tags: { a: '1' } }))['EventSourceMappingArn']
  await call('TagResource', { Resource, Tags: { b: '2' } })
  assert.deepEqual(await call('ListTags', { Resource }), { Tags: { a: '1', b: '2' } })
  await call('UntagResource', { Resource, TagKeys: ['a', 'x'] })
  assert.deepEqual(await call('ListTags', { Resource }), { Tags: { b: '2' } })
  for (const unknown of [
    Resource.replace(/.$/, 'x'),
    Resource.replace(/\d\d\d\d-/, '0000-'),
    Resource.replace(REGION, 'eu-west-1'),
  ]) {
    if (unknown !== Resource) assert.equal((await fail('ListTags', { Resource: unknown })).status, 404)
  }
})
