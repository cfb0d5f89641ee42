import assert from 'node:assert/strict'
import { test } from 'node:test'

import { IN_TRANSITION, inTransitionKey } from '#contracts/keys.ts'

import { createControlPlane, INPUT, zip } from '../../../test/support/control-plane.ts'

test('functions left on their way by a crash are taken up at the next start', async () => {
  const crashed = createControlPlane()
  await crashed.create('updating')
  crashed.preparer.hold()
  await crashed.call('CreateFunction', { ...INPUT, FunctionName: 'created', Publish: true })
  await crashed.call('UpdateFunctionCode', { FunctionName: 'updating', ZipFile: zip('two') })
  await crashed.activation.stop()
  crashed.preparer.release()
  await crashed.settle()

  const { call, activation, settle, preparer } = createControlPlane({ store: crashed.store })
  assert.equal((await call('GetFunctionConfiguration', { FunctionName: 'created' }))['State'], 'Pending')
  await activation.start()
  await settle()
  assert.equal((await call('GetFunctionConfiguration', { FunctionName: 'created' }))['State'], 'Active')
  assert.equal((await call('GetFunctionConfiguration', { FunctionName: 'created:1' }))['State'], 'Active')
  const updated = await call('GetFunctionConfiguration', { FunctionName: 'updating' })
  assert.equal(updated['LastUpdateStatus'], 'Successful')
  assert.equal(preparer.prepared.length, 3)
})

test('also those of a store from before there was an index of them', async () => {
  const crashed = createControlPlane()
  crashed.preparer.hold()
  await crashed.call('CreateFunction', { ...INPUT, Publish: true })
  await crashed.activation.stop()
  crashed.preparer.release()
  await crashed.settle()
  const { meta } = crashed.store
  const index = await meta.list(IN_TRANSITION, '', 10)
  assert.equal(index.length, 2)
  await meta.txn(index.map(({ key }) => ({ key, doc: null })))

  const { call, activation, settle } = createControlPlane({ store: crashed.store })
  await activation.start()
  await settle()
  assert.equal((await call('GetFunctionConfiguration', { FunctionName: 'fn' }))['State'], 'Active')
  assert.equal((await call('GetFunctionConfiguration', { FunctionName: 'fn:1' }))['State'], 'Active')
  assert.deepEqual(await meta.list(IN_TRANSITION, '', 10), [])
})

test('a start reads what is on its way and nothing else, and drops what the index is wrong about', async () => {
  const first = createControlPlane()
  await first.activation.start()
  for (let index = 0; index < 30; index++) await first.create(`fn${index}`)
  await first.settle()
  const { meta } = first.store
  await meta.txn([{ key: inTransitionKey('function/gone'), doc: {} }])
  let documents = 0
  const { get, list } = meta
  Object.assign(meta, {
    get: (key: string) => ((documents += Number(/^(function|version)/.test(key))), get(key)),
    list: async (prefix: string, after: string, limit: number) => {
      assert.doesNotMatch(prefix, /^(function|version)/)
      return list(prefix, after, limit)
    },
  })
  const { activation, settle } = createControlPlane({ store: first.store })
  await activation.start()
  await settle()
  assert.equal(documents, 1)
  assert.deepEqual(await list(IN_TRANSITION, '', 10), [])
})

test('a function that is deleted and created again while it is prepared is not mistaken for the old one', async () => {
  const { call, settle, preparer } = createControlPlane()
  const state = async () => (await call('GetFunctionConfiguration', { FunctionName: 'fn' }))['State']
  const endFirst = preparer.hold()
  await call('CreateFunction', INPUT)
  await settle()
  await call('DeleteFunction', { FunctionName: 'fn' })
  const endSecond = preparer.hold()
  await call('CreateFunction', INPUT)
  await settle()
  endFirst(new Error('The first one broke'))
  await settle()
  assert.equal(await state(), 'Pending')
  endSecond()
  await settle()
  assert.equal(await state(), 'Active')
})

test('a preparation that never ends fails at its deadline', async () => {
  const { call, clock, preparer, settle } = createControlPlane()
  preparer.hold()
  await call('CreateFunction', INPUT)
  await settle()
  await clock.advance(15 * 60_000)
  const { State, StateReason } = await call('GetFunctionConfiguration', { FunctionName: 'fn' })
  assert.deepEqual([State, StateReason], ['Failed', 'Preparing the function took too long.'])
})

test('an unexpected error of the platform does not reach the client', async () => {
  const { call, preparer, settle } = createControlPlane()
  preparer.hold()
  await call('CreateFunction', INPUT)
  preparer.release(new Error('/secret/path'))
  await settle()
  const { StateReason, StateReasonCode } = await call('GetFunctionConfiguration', { FunctionName: 'fn' })
  assert.deepEqual([StateReason, StateReasonCode], ['An internal error occurred.', 'InternalError'])
})

test('draining waits for what is being prepared and begins nothing new', async () => {
  const { call, activation, preparer, clock, settle } = createControlPlane()
  preparer.hold()
  await call('CreateFunction', INPUT)
  await settle()
  let drained = false
  const draining = activation.drain(1000).then(() => (drained = true))
  await settle()
  assert.equal(drained, false)
  assert.equal(activation.hasRoom, false)
  preparer.release()
  await draining
  await clock.advance(0)
  assert.equal((await call('GetFunctionConfiguration', { FunctionName: 'fn' }))['State'], 'Active')
})

test('draining gives up at its deadline', async () => {
  const { call, activation, preparer, clock, settle } = createControlPlane()
  preparer.hold()
  await call('CreateFunction', INPUT)
  await settle()
  const draining = activation.drain(1000)
  await clock.advance(1000)
  await draining
  await activation.stop()
  preparer.release()
})

test('at most a handful of versions are prepared at once', async () => {
  const { call, settle, preparer } = createControlPlane()
  preparer.hold()
  for (let i = 0; i < 9; i++) await call('CreateFunction', { ...INPUT, FunctionName: `fn${i}` })
  await settle()
  assert.equal(preparer.prepared.length, 4)
  preparer.release()
  await settle()
  assert.equal(preparer.prepared.length, 9)
})
