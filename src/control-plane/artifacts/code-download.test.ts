import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'

import { createCodeDownload } from '#control-plane/artifacts/code-download.ts'
import { createCodeLinks } from '#control-plane/artifacts/code-link.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'

const clock = createVirtualClock(Date.UTC(2026, 10, 21, 2, 0, 0))
const key = Buffer.alloc(32, 7)
const links = createCodeLinks({ key, clock })
const store = createMemoryStore({ clock })
const content = Buffer.from('a zip')
const blob = createHash('sha256').update(content).digest('hex')
let server: Server
let endpoint = ''
before(async () => {
  await store.blobs.put(blob, content)
  const download = createCodeDownload({ blobs: store.blobs, key, clock })
  server = createServer((request, response) => {
    void download(request, response).then((mine) => mine || response.writeHead(418).end())
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(() => {
  server.closeAllConnections()
  server.close()
})

test('a link downloads the package, and HEAD tells its size', async () => {
  const link = links.create(blob, endpoint)
  assert.match(
    link,
    /\/_lambent\/code\/[0-9a-f]{64}\?.*X-Amz-Date=20261121T020000Z&X-Amz-Expires=600&X-Amz-Signature=/,
  )
  const response = await fetch(link)
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/zip')
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), content)
  const head = await fetch(link, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers.get('content-length')], [200, '5'])
})

test('a link for something else, or a changed one, is refused in the XML of S3', async () => {
  const link = links.create(blob, endpoint)
  const changes = [
    link.replace(blob, 'f'.repeat(64)),
    link.replace('Expires=600', 'Expires=6000'),
    link.replace('T020000Z', 'T030000Z'),
    link.replace(/Signature=.*/, 'Signature='),
    link.replace(/\?.*/, ''),
    links.create('../../etc/passwd', endpoint),
  ]
  for (const changed of changes) {
    const response = await fetch(changed)
    assert.ok([403, 418].includes(response.status), changed)
    if (response.status === 403) assert.match(await response.text(), /<Code>SignatureDoesNotMatch<\/Code>/)
  }
})

test('a link ends after ten minutes', async () => {
  const link = links.create(blob, endpoint)
  await clock.advance(600_000)
  assert.equal((await fetch(link)).status, 200)
  await clock.advance(1000)
  const response = await fetch(link)
  assert.equal(response.status, 403)
  assert.equal(
    (await response.text()).split('\n')[1],
    '<Error><Code>AccessDenied</Code><Message>Request has expired</Message><X-Amz-Expires>600</X-Amz-Expires><Expires>2026-11-21T02:10:00Z</Expires><ServerTime>2026-11-21T02:10:01Z</ServerTime></Error>',
  )
})

test('a package that is gone is a 404, other methods a 405, other paths are left to others', async () => {
  assert.equal((await fetch(links.create('a'.repeat(64), endpoint))).status, 404)
  assert.equal((await fetch(links.create(blob, endpoint), { method: 'DELETE' })).status, 405)
  assert.equal((await fetch(`${endpoint}/2015-03-31/functions`)).status, 418)
})
