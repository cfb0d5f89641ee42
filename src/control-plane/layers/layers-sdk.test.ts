import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import {
  DeleteLayerVersionCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  InvalidParameterValueException,
  LambdaClient,
  ListLayerVersionsCommand,
  PublishLayerVersionCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda'

import { createCodeDownload } from '#control-plane/artifacts/code-download.ts'
import { createCodeLinks } from '#control-plane/artifacts/code-link.ts'
import { createCodeStore } from '#control-plane/artifacts/code-store.ts'
import { createLayerOperations } from '#control-plane/layers/operations.ts'
import { systemClock } from '#kernel/clock.ts'
import { systemRandom } from '#kernel/random.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import { createDoor } from '#wire/door.ts'
import { lambdaModel } from '#wire/models/lambda.ts'

import { buildZip } from '../../../test/support/zip-builder.ts'
import { createCommitter } from '../commit.ts'

test("AWS's SDK publishes a layer, downloads it by its link, and deletes it", async () => {
  const { meta, blobs } = createMemoryStore({ clock: systemClock })
  const key = Buffer.alloc(32, 3)
  const links = createCodeLinks({ key, clock: systemClock })
  const code = createCodeStore({
    blobs,
    links,
    bucket: undefined,
    temporaryDirectory: '/none',
    verifySignature: async () => undefined,
    clock: systemClock,
  })
  const committer = createCommitter(meta)
  const handlers = createLayerOperations({ meta, code, committer, clock: systemClock, random: systemRandom })
  const door = createDoor({
    services: [{ model: lambdaModel, handlers }],
    auth: { mode: 'off' },
    account: '000000000000',
    region: 'us-east-1',
    clock: systemClock,
    random: systemRandom,
    logger: { error: (message, fields) => assert.fail(`${message} ${JSON.stringify(fields)}`) },
  })
  const download = createCodeDownload({ blobs, key, clock: systemClock })
  const server = createServer((request, response) => {
    void download(request, response).then((mine) => mine || door(request, response))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const client = new LambdaClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })
  try {
    const zip = buildZip([{ name: 'nodejs/node_modules/x/index.js', data: 'exports.x = 1', deflate: true }])
    const published = await client.send(
      new PublishLayerVersionCommand({
        LayerName: 'tools',
        Content: { ZipFile: zip },
        CompatibleRuntimes: ['nodejs24.x'],
      }),
    )
    assert.equal(published.$metadata.httpStatusCode, 201)
    assert.equal(published.LayerVersionArn, 'arn:aws:lambda:us-east-1:000000000000:layer:tools:1')
    assert.equal(published.Content?.CodeSha256, createHash('sha256').update(zip).digest('base64'))
    const response = await fetch(String(published.Content?.Location))
    assert.deepEqual(Buffer.from(await response.arrayBuffer()), zip)
    const byName = await client.send(new GetLayerVersionCommand({ LayerName: 'tools', VersionNumber: 1 }))
    const byArn = await client.send(new GetLayerVersionByArnCommand({ Arn: published.LayerVersionArn }))
    assert.deepEqual([byName.CreatedDate, byArn.CreatedDate], [published.CreatedDate, published.CreatedDate])
    const list = await client.send(new ListLayerVersionsCommand({ LayerName: 'tools' }))
    assert.equal(list.LayerVersions?.length, 1)
    await assert.rejects(
      client.send(
        new PublishLayerVersionCommand({ LayerName: 'tools', Content: { ZipFile: Buffer.from('x') } }),
      ),
      InvalidParameterValueException,
    )
    const remove = new DeleteLayerVersionCommand({ LayerName: 'tools', VersionNumber: 1 })
    assert.equal((await client.send(remove)).$metadata.httpStatusCode, 204)
    await assert.rejects(
      client.send(new GetLayerVersionCommand({ LayerName: 'tools', VersionNumber: 1 })),
      ResourceNotFoundException,
    )
  } finally {
    client.destroy()
    server.close()
    server.closeAllConnections()
  }
})
