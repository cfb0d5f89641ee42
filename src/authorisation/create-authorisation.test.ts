import assert from 'node:assert/strict'
import { test } from 'node:test'

import { busKey } from '#contracts/events.ts'
import { LambdaError } from '#contracts/errors.ts'
import { iamUserKey, type IamUser } from '#contracts/iam.ts'
import { mappingKey, policyKey } from '#contracts/keys.ts'
import { snsTopicKey } from '#contracts/sns.ts'
import { systemClock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { createDocumentCache } from '#documents/create-document-cache.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { Meta } from '#store/port.ts'
import type { Principal } from '#wire/service.ts'

import { createAuthorisation } from './create-authorisation.ts'

const ACCOUNT = '123456789012'
const REGION = 'us-east-1'
const ADA: Principal = { account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:user/ada`, accessKeyId: 'AKIAADA' }

const user = (...statements: readonly object[]): Json => {
  const doc: IamUser = {
    account: ACCOUNT,
    name: 'ada',
    id: 'AIDAADA',
    path: '/',
    createdAt: 0,
    tags: [{ key: 'team', value: 'blue' }],
    inlinePolicies: { p: JSON.stringify({ Version: '2012-10-17', Statement: statements }) },
    attachedPolicies: [],
    accessKeyIds: [],
  }
  return doc as unknown as Json
}
const ALLOW = { Effect: 'Allow', Action: 'lambda:*', Resource: '*' }
const USER_KEY = iamUserKey(ACCOUNT, 'ada')

async function rig(limits: { maxDecisions?: number; maxDocuments?: number } = {}) {
  const { meta: stored } = createMemoryStore({ clock: systemClock })
  let reads = 0
  /** Runs while a read is under way. */
  let during: (() => Promise<unknown>) | undefined
  const meta: Meta = {
    get: async (key) => {
      reads++
      const row = await stored.get(key)
      const run = during
      during = undefined
      await run?.()
      return row
    },
    list: stored.list,
    txn: stored.txn,
    watch: stored.watch,
    rev: stored.rev,
  }
  const { maxDecisions, maxDocuments } = limits
  const documents = createDocumentCache({
    meta,
    ...(maxDocuments && { maxDocuments, maxAbsent: maxDocuments }),
  })
  await documents.start()
  const authorisation = createAuthorisation({
    documents,
    clock: systemClock,
    session: () => undefined,
    awsPolicies: new Map(),
    ...(maxDecisions && { maxDecisions }),
  })
  const ask = (name = 'f', principal = ADA) =>
    authorisation.authorise({
      service: 'lambda',
      operation: 'Invoke',
      input: { FunctionName: name },
      principal,
      region: REGION,
      sourceIp: '10.0.0.1',
      userAgent: undefined,
    })
  const may = async (name?: string) => {
    try {
      await ask(name)
      return true
    } catch (error) {
      assert.ok(error instanceof LambdaError)
      assert.equal(error.status, 403)
      return false
    }
  }
  return {
    stored,
    authorisation,
    ask,
    may,
    readsOf: async (run: () => Promise<unknown>) => {
      const before = reads
      await run()
      return reads - before
    },
    whileReading: (run: () => Promise<unknown>) => void (during = run),
  }
}

test('authorisation: a known answer comes at once and reads nothing', async () => {
  const { stored, ask, may, readsOf } = await rig()
  await stored.txn([{ key: USER_KEY, doc: user(ALLOW) }])
  assert.equal(await readsOf(() => may()), 2)
  assert.equal(ask(), undefined)
  assert.equal(await readsOf(() => may()), 0)
  // Another function of the same caller: only its policy is read.
  assert.equal(await readsOf(() => may('g')), 1)
})

test('authorisation: a changed policy counts from then on, of callers and of resources', async () => {
  const { stored, may } = await rig()
  assert.equal(await may(), false)
  await stored.txn([{ key: USER_KEY, doc: user(ALLOW) }])
  assert.equal(await may(), true)
  const key = policyKey({ account: ACCOUNT, region: REGION, name: 'f' }, '$LATEST')
  const Statement = [{ Effect: 'Deny', Principal: '*', Action: 'lambda:*', Resource: '*' }]
  await stored.txn([{ key, doc: { document: { Version: '2012-10-17', Statement } } }])
  assert.equal(await may(), false)
  await stored.txn([{ key, doc: null }])
  assert.equal(await may(), true)
  await stored.txn([{ key: USER_KEY, doc: null }])
  assert.equal(await may(), false)
})

test('authorisation: a change while the policy is being read is not missed', async () => {
  const { stored, may, whileReading } = await rig()
  await stored.txn([{ key: USER_KEY, doc: user(ALLOW) }])
  whileReading(() => stored.txn([{ key: USER_KEY, doc: user() }]))
  await may()
  assert.equal(await may(), false)
})

test('authorisation: what depends on the request is asked anew each time', async () => {
  const { stored, authorisation, may } = await rig()
  const fromHere = { ...ALLOW, Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }
  await stored.txn([{ key: USER_KEY, doc: user(fromHere) }])
  assert.equal(await may(), true)
  assert.equal(authorisation.remembered, 0)
  const ofTeam = { ...ALLOW, Condition: { StringEquals: { 'aws:PrincipalTag/team': 'blue' } } }
  await stored.txn([{ key: USER_KEY, doc: user(ofTeam) }])
  assert.equal(await may(), true)
  assert.equal(authorisation.remembered, 1)
})

test('authorisation: what is remembered has a bound', async () => {
  const { stored, authorisation, may } = await rig({ maxDecisions: 8, maxDocuments: 4 })
  await stored.txn([{ key: USER_KEY, doc: user(ALLOW) }])
  for (let index = 0; index < 50; index++) {
    assert.equal(await may(`f${index}`), true)
    assert.ok(authorisation.remembered <= 8)
  }
})

test('authorisation: after a document was dropped from memory its changes still count', async () => {
  const { stored, may } = await rig({ maxDocuments: 2 })
  await stored.txn([{ key: USER_KEY, doc: user(ALLOW) }])
  assert.equal(await may('f'), true)
  for (const name of ['g', 'h', 'i']) await may(name)
  await stored.txn([{ key: USER_KEY, doc: user() }])
  for (const name of ['f', 'g', 'h', 'i']) assert.equal(await may(name), false)
})

test('authorisation: an operation that no table knows is for those who may do everything', async () => {
  const { stored, authorisation } = await rig()
  const request = {
    service: 'lambda',
    operation: 'toString',
    input: {},
    principal: ADA,
    region: REGION,
    sourceIp: undefined,
    userAgent: undefined,
  }
  await assert.rejects(async () => authorisation.authorise(request), /lambda:toString/)
  await stored.txn([{ key: USER_KEY, doc: user(ALLOW) }])
  await authorisation.authorise(request)
})

test('authorisation: a URL needs both actions, and who has no name needs the policy of the function', async () => {
  const { stored, authorisation } = await rig()
  const id = { account: ACCOUNT, region: REGION, name: 'f' }
  const may = (caller?: Principal) =>
    authorisation.mayUseUrl({
      id,
      qualifier: undefined,
      authType: caller ? 'AWS_IAM' : 'NONE',
      caller,
      sourceIp: undefined,
      userAgent: undefined,
    })
  const open = (Action: string, Condition: object) => ({
    Effect: 'Allow',
    Principal: '*',
    Action,
    Resource: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:f`,
    Condition,
  })
  const url = open('lambda:InvokeFunctionUrl', { StringEquals: { 'lambda:FunctionUrlAuthType': 'NONE' } })
  const call = open('lambda:InvokeFunction', { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } })
  const write = (...Statement: readonly object[]) =>
    stored.txn([
      {
        key: policyKey(id, '$LATEST'),
        doc: { document: { Version: '2012-10-17', Statement } } as unknown as Json,
      },
    ])
  assert.equal(await may(), false)
  await write(url)
  assert.equal(await may(), false)
  await write(url, call)
  assert.equal(await may(), true)
  // The same policy does not open the function itself.
  await assert.rejects(async () =>
    authorisation.authorise({
      service: 'lambda',
      operation: 'Invoke',
      input: { FunctionName: 'f' },
      principal: ADA,
      region: REGION,
      sourceIp: undefined,
      userAgent: undefined,
    }),
  )
  assert.equal(await may(ADA), false)
  await stored.txn([{ key: USER_KEY, doc: user(ALLOW) }])
  assert.equal(await may(ADA), true)
})

test('authorisation: of a mapping its own function and tags count, not only what the request names', async () => {
  const { stored, authorisation } = await rig()
  const scope = { account: ACCOUNT, region: REGION }
  const mapping = (functionName: string, team: string) =>
    ({ ...scope, uuid: 'u', functionName, tags: { team } }) as unknown as Json
  const may = async (operation: string, input: object) => {
    try {
      await authorisation.authorise({
        service: 'lambda',
        operation,
        input,
        principal: ADA,
        region: REGION,
        sourceIp: undefined,
        userAgent: undefined,
      })
      return true
    } catch (error) {
      assert.ok(error instanceof LambdaError)
      return false
    }
  }
  const own = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:own`
  const key = mappingKey(scope, 'u')
  await stored.txn([
    { key: USER_KEY, doc: user({ ...ALLOW, Condition: { ArnEquals: { 'lambda:FunctionArn': own } } }) },
    { key, doc: mapping('own', 'blue') },
  ])
  const UUID = 'u'
  assert.ok(await may('CreateEventSourceMapping', { FunctionName: 'own' }))
  assert.ok(!(await may('CreateEventSourceMapping', { FunctionName: 'other' })))
  assert.ok(await may('DeleteEventSourceMapping', { UUID }))
  assert.ok(await may('UpdateEventSourceMapping', { UUID, FunctionName: own }))
  assert.ok(!(await may('UpdateEventSourceMapping', { UUID, FunctionName: 'other' })))
  await stored.txn([{ key, doc: mapping('other', 'blue') }])
  assert.ok(!(await may('DeleteEventSourceMapping', { UUID })))
  assert.ok(!(await may('UpdateEventSourceMapping', { UUID, FunctionName: 'own' })))

  const tagged = { StringEquals: { 'aws:ResourceTag/team': 'blue' } }
  await stored.txn([{ key: USER_KEY, doc: user({ ...ALLOW, Condition: tagged }) }])
  assert.ok(await may('GetEventSourceMapping', { UUID }))
  await stored.txn([{ key, doc: mapping('other', 'red') }])
  assert.ok(!(await may('GetEventSourceMapping', { UUID })))
  assert.ok(!(await may('GetEventSourceMapping', { UUID: 'unknown' })))
})

test("authorisation: a service may do what the resource's policy allows it for its source, and nothing else", async () => {
  const { stored, ask } = await rig()
  const topic = (name: string): Principal => ({
    account: ACCOUNT,
    arn: 'sns.amazonaws.com',
    accessKeyId: `sns.amazonaws.com ${name}`,
    service: { name: 'sns.amazonaws.com', arn: `arn:aws:sns:${REGION}:${ACCOUNT}:${name}`, account: ACCOUNT },
  })
  const Statement = [
    {
      Effect: 'Allow',
      Principal: { Service: 'sns.amazonaws.com' },
      Action: 'lambda:InvokeFunction',
      Resource: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:f`,
      Condition: { ArnLike: { 'AWS:SourceArn': `arn:aws:sns:${REGION}:${ACCOUNT}:good` } },
    },
  ]
  const key = policyKey({ account: ACCOUNT, region: REGION, name: 'f' }, '$LATEST')
  await stored.txn([{ key, doc: { document: { Version: '2012-10-17', Statement } } }])
  await ask('f', topic('good'))
  await assert.rejects(async () => ask('f', topic('bad')), { code: 'AccessDeniedException' })
  await assert.rejects(async () => ask('g', topic('good')), { code: 'AccessDeniedException' })
})

test('authorisation: a topic lets other accounts publish when its policy says so', async () => {
  const { stored, authorisation } = await rig()
  const arn = `arn:aws:sns:${REGION}:999988887777:orders`
  const publish = async () =>
    authorisation.authorise({
      service: 'sns',
      operation: 'Publish',
      input: { TopicArn: arn, Message: 'm' },
      principal: ADA,
      region: REGION,
      sourceIp: undefined,
      userAgent: undefined,
    })
  const Statement = [{ Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'SNS:Publish', Resource: arn }]
  const topic = (attributes: Record<string, string>) => [
    { key: snsTopicKey({ account: '999988887777', region: REGION }, 'orders'), doc: { attributes } },
  ]
  await stored.txn([{ key: USER_KEY, doc: user({ Effect: 'Allow', Action: 'sns:Publish', Resource: '*' }) }])
  await stored.txn(topic({}))
  await assert.rejects(publish, {
    code: 'AuthorizationError',
    message: `User: ${ADA.arn} is not authorized to perform: SNS:Publish on resource: ${arn} because no resource-based policy allows the SNS:Publish action`,
  })
  await stored.txn(topic({ Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }))
  await publish()
})

test('authorisation: a bus lets other accounts put events when its policy says so', async () => {
  const { stored, authorisation } = await rig()
  const owner = { account: '999988887777', region: REGION }
  const arn = `arn:aws:events:${REGION}:${owner.account}:event-bus/orders`
  const putEvents = async () =>
    authorisation.authorise({
      service: 'events',
      operation: 'PutEvents',
      input: { Entries: [{ EventBusName: arn, Source: 'shop' }] },
      principal: ADA,
      region: REGION,
      sourceIp: undefined,
      userAgent: undefined,
    })
  const Statement = [
    {
      Effect: 'Allow',
      Principal: { AWS: ACCOUNT },
      Action: 'events:PutEvents',
      Resource: arn,
      Condition: { 'ForAllValues:StringEquals': { 'events:source': 'shop' } },
    },
  ]
  const bus = (more: object) => [{ key: busKey(owner, 'orders'), doc: { ...owner, name: 'orders', ...more } }]
  await stored.txn([{ key: USER_KEY, doc: user({ Effect: 'Allow', Action: 'events:*', Resource: '*' }) }])
  await stored.txn(bus({}))
  await assert.rejects(putEvents, { code: 'AccessDeniedException' })
  await stored.txn(bus({ policy: JSON.stringify({ Version: '2012-10-17', Statement }) }))
  await putEvents()
})
