import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { BadSetting, readSettings, settingsHelp } from '#bin/settings.ts'

test('settings: defaults listen on loopback port 4566 with data in .lambent', () => {
  const settings = readSettings([], {})
  assert.deepEqual([settings?.host, settings?.port, settings?.data], ['127.0.0.1', 4566, '.lambent'])
})

test('settings: a flag beats the environment, the environment beats the file, the file beats the default', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'settings-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'lambent.json')
  writeFileSync(file, JSON.stringify({ port: 1, region: 'eu-west-1', data: 'from-file' }))
  const settings = readSettings(['--config', file, '--port', '3'], {
    LAMBENT_PORT: '2',
    LAMBENT_REGION: 'eu-north-1',
  })
  assert.deepEqual([settings?.port, settings?.region, settings?.data], [3, 'eu-north-1', 'from-file'])
})

test('settings: --no-examples switches the examples off', () => {
  assert.equal(readSettings(['--no-examples'], {})?.examples, false)
  assert.equal(readSettings([], { LAMBENT_EXAMPLES: 'no' })?.examples, false)
})

test('settings: --auth iam is enough for an address that others reach', () => {
  const settings = readSettings(['--host', '0.0.0.0', '--auth', 'iam', '--secret-access-key', 'own'], {})
  assert.equal(settings?.auth, 'iam')
})

for (const [argv, env, text] of [
  [['--port', 'x'], {}, /--port is "x", but it takes a whole number from 0 to 65535/],
  [[], { LAMBENT_PORT: '70000' }, /LAMBENT_PORT is "70000"/],
  [['--auth', 'maybe'], {}, /one of off, signature/],
  [['--api-rates', 'slow'], {}, /one of off, aws/],
  [['--account', '12'], {}, /12 digits/],
  [['--nonsense'], {}, /nonsense/],
  [['--host', '0.0.0.0'], {}, /--auth signature/],
  [['--host', '0.0.0.0', '--auth', 'signature'], {}, /secret-access-key of your own/],
  [['--auth', 'iam'], {}, /secret-access-key of your own/],
  [['--config', '/does/not/exist'], {}, /cannot be read/],
] as const) {
  test(`settings: refuses ${JSON.stringify(argv)} ${JSON.stringify(env)} and says why`, () => {
    assert.throws(
      () => readSettings(argv, env),
      (error) => error instanceof BadSetting && text.test(error.message),
    )
  })
}

test('settings: help names every setting once and shows examples', () => {
  assert.equal(readSettings(['--help'], {}), undefined)
  assert.match(settingsHelp(), /--port N/)
  assert.match(settingsHelp(), /Examples/)
})

test('a store is a PostgreSQL database, of which several servers may be named', () => {
  const several = 'postgres://me:p%40ss@a,b:5433/name'
  assert.equal(readSettings([`--store=${several}`], {})?.store, several)
  assert.equal(readSettings([], { LAMBENT_STORE: 'postgres://a/name' })?.store, 'postgres://a/name')
  assert.throws(() => readSettings(['--store=mysql://a/name'], {}), /--store: A PostgreSQL store is named/)
})
