import assert from 'node:assert/strict'
import { test } from 'node:test'

import { findRuntime } from '#contracts/runtime.ts'
import type { DriverReport } from '#data-plane/sandbox/port.ts'
import { createSnapshots } from '#data-plane/worker/snapshots.ts'

import { aVersion } from '../../../test/support/function-version.ts'

const runtimeOf = (identifier: string) => {
  const runtime = findRuntime(identifier)
  assert.ok(runtime)
  return runtime
}

function rig(enforced = true) {
  const made = new Map<string, string>()
  const reasons: unknown[] = []
  const snapshots = createSnapshots({
    cache: {
      open: async () => {},
      sizeBytes: 0,
      async acquire(kind, key, fill) {
        const name = `${kind}/${key}`
        if (!made.has(name)) await fill(`/cache/${name}`)
        made.set(name, `/cache/${name}`)
        return { path: `/cache/${name}`, sizeBytes: 1, release() {} }
      },
      acquireIfThere(kind, key) {
        const path = made.get(`${kind}/${key}`)
        return path === undefined ? undefined : { path, sizeBytes: 1, release() {} }
      },
    },
    report: {
      driver: 'oci',
      snapshots: enforced ? { enforced } : { enforced, why: 'no CRIU' },
    } as DriverReport,
    interpreterOf: async () => undefined,
    logger: {
      debug() {},
      info: (_message, fields) => void reasons.push(fields?.['reason']),
      warn() {},
      error() {},
    },
  })
  return { snapshots, reasons }
}

const python = runtimeOf('python3.12')
const published = aVersion({ version: '1', snapStart: 'PublishedVersions', runtime: 'python3.12' })

test('snapshots: taken once for a published version, and found by its starts', async () => {
  const { snapshots, reasons } = rig()
  let captures = 0
  const capture = async () => ++captures
  let missed = 0
  assert.equal(await snapshots.find(published, python, () => missed++), undefined)
  await snapshots.take(published, python, capture)
  await snapshots.take(published, python, capture)
  assert.equal(captures, 1)
  const held = await snapshots.find(published, python, () => missed++)
  assert.match(held?.from ?? '', /^\/cache\/snapshot\//)
  assert.match(held?.owner ?? '', /^[0-9a-f]{32}$/)
  assert.equal(missed, 1)
  const changed = { ...published, generation: 'another' }
  assert.equal(await snapshots.find(changed, python, () => missed++), undefined)
  assert.equal(reasons.length, 2)
})

test('snapshots: none for $LATEST, for functions without SnapStart, and where they can not be had', async () => {
  const { snapshots, reasons } = rig()
  const never = () => assert.fail('nothing is to be kept')
  for (const change of [{ version: '$LATEST' }, { snapStart: 'None' as const }])
    assert.equal(await snapshots.take({ ...published, ...change }, python, never), undefined)
  assert.deepEqual(reasons, [])
  await snapshots.take(published, runtimeOf('nodejs22.x'), never)
  assert.deepEqual(reasons, ["processes of the runtime nodejs22.x can't be kept"])
  const without = rig(false)
  await without.snapshots.take(published, python, never)
  await without.snapshots.find(published, python, never)
  assert.deepEqual(without.reasons, ['no CRIU', 'no CRIU'])
})
