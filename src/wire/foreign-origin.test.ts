import assert from 'node:assert/strict'
import { test } from 'node:test'

import { refuseForeignOrigin } from '#wire/foreign-origin.ts'

for (const origin of [
  undefined,
  'http://localhost:3000',
  'https://127.0.0.1',
  'http://[::1]:80',
  'http://app.localhost',
]) {
  test(`foreign origin: ${origin ?? 'no origin'} passes`, () => refuseForeignOrigin(origin))
}
for (const origin of [
  'https://example.org',
  'null',
  'http://localhost.example.org',
  'http://127.0.0.1.example.org',
  '',
]) {
  test(`foreign origin: "${origin}" is refused`, () => {
    assert.throws(() => refuseForeignOrigin(origin), { code: 'AccessDeniedException', status: 403 })
  })
}
