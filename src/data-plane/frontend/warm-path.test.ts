import assert from 'node:assert/strict'
import { test } from 'node:test'

import { functionKey } from '#contracts/keys.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { createCatalog } from '#data-plane/frontend/catalog.ts'
import { createFrontend } from '#data-plane/frontend/create-frontend.ts'
import { createDocumentCache } from '#documents/create-document-cache.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { seededRandom } from '#kernel/random.ts'
import type { Json } from '#kernel/json.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { Meta } from '#store/port.ts'

import { aVersion, ID } from '../../../test/support/function-version.ts'

/** Counts what one warm invocation asks of the store, of the clock and of those behind the front end. */
async function costOfWarmInvocation(functions: number) {
  const clock = createVirtualClock()
  const store = createMemoryStore({ clock })
  const asked = { store: 0, clock: 0, counting: 0, placement: 0 }
  const counted = (name: keyof typeof asked) => asked[name]++
  const meta: Meta = { ...store.meta, get: (key) => (counted('store'), store.meta.get(key)) }
  const random = seededRandom(1)
  const documents = createDocumentCache({ meta })
  await documents.start()
  const catalog = createCatalog({ documents, random })
  const seen = new Set<FunctionVersion>()
  const frontend = createFrontend({
    catalog,
    counting: { admit: () => (counted('counting'), () => {}) },
    placement: {
      async invoke({ version }) {
        counted('placement')
        seen.add(version)
        return { executedVersion: version.version, payload: new Uint8Array() }
      },
    },
    events: { enqueue: async () => {} },
    clock: { ...clock, now: () => (counted('clock'), 0), monotonic: () => (counted('clock'), 0) },
    random,
  })
  const ids = Array.from({ length: functions }, (_, n) => ({ ...ID, name: `f${n}` }))
  await meta.txn(
    ids.map((id) => ({ key: functionKey(id), doc: { latest: aVersion(id) } as unknown as Json })),
  )
  const round = async () => {
    for (const id of ids) {
      await frontend.invoke({
        id,
        qualifier: undefined,
        requestId: 'r',
        payload: new Uint8Array(),
        logType: 'None',
      })
    }
  }
  await round()
  const versions = seen.size
  Object.assign(asked, { store: 0, clock: 0, counting: 0, placement: 0 })
  await round()
  assert.equal(seen.size, versions, 'the second round met the very same documents')
  return Object.fromEntries(Object.entries(asked).map(([name, count]) => [name, count / functions]))
}

test('warm path: an invocation costs the same with one function and with a thousand', async () => {
  const one = await costOfWarmInvocation(1)
  assert.deepEqual(one, { store: 0, clock: 1, counting: 1, placement: 1 })
  assert.deepEqual(await costOfWarmInvocation(1000), one)
})
