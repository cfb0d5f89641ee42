import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createImageSweeper } from '#control-plane/artifacts/image-sweeper.ts'
import type { ImageKey } from '#images/port.ts'
import { HOUR_MS } from '#kernel/units.ts'

import { createControlPlane, ROLE } from '../../../test/support/control-plane.ts'

const IMAGE = { Role: ROLE, PackageType: 'Image' }

test('image sweeper: keeps what a version names, what still serves, and what runs', async () => {
  const { call, create, settle, images, meta, clock, preparer } = createControlPlane()
  const ImageUri = 'registry.example/app:v1'
  await create('zipped')
  const created = await call('CreateFunction', {
    ...IMAGE,
    FunctionName: 'img',
    Code: { ImageUri },
    Publish: true,
  })
  await settle()
  images.moveTags()
  const release = preparer.hold()
  const updated = await call('UpdateFunctionCode', {
    FunctionName: 'img',
    ImageUri,
    Architectures: ['arm64'],
  })
  await settle()
  release(new Error('the image is broken'))
  await settle()

  const swept: string[][] = []
  const running: ImageKey[] = [{ resolvedUri: 'registry.example/old@sha256:00', architecture: 'x86_64' }]
  const sweeper = createImageSweeper({
    meta,
    images: {
      async sweep(inUse) {
        swept.push(inUse.map((key) => `${key.architecture} ${key.resolvedUri}`).toSorted())
      },
    },
    running: () => running,
    clock,
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  })
  await sweeper.start()
  const named = (digest: string) => `registry.example/app@sha256:${digest}`
  const all = [
    `arm64 ${named(updated['CodeSha256'])}`,
    'x86_64 registry.example/old@sha256:00',
    `x86_64 ${named(created['CodeSha256'])}`,
  ].toSorted()
  await clock.advance(HOUR_MS)
  await settle()
  assert.deepEqual(swept, [all])

  // Twice after a change, and then not for as long as nothing changes.
  running.length = 0
  await call('DeleteFunction', { FunctionName: 'img' })
  for (let hour = 0; hour < 6; hour++) {
    await clock.advance(HOUR_MS)
    await settle()
  }
  assert.deepEqual(swept.slice(1), [[], []])
  await sweeper.stop()
})
