import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { systemClock as clock } from '#kernel/clock.ts'

import { createAuthorisation, parseChallenge } from './authorisation.ts'
import { createFileCredentials } from './credentials.ts'
import { createRegistryHttp } from './registry-http.ts'

test('credentials: a file as docker, skopeo and podman write it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'credentials-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'config.json')
  const auths = {
    'https://old.example/v1/': { auth: btoa('me:se:cret') },
    'plain.example:5000': { username: 'me', password: 'secret' },
    'token.example': { auth: btoa('00000000-0000:'), identitytoken: 'the-token' },
    'empty.example': {},
  }
  writeFileSync(file, JSON.stringify({ auths, credHelpers: { 'helped.example': 'some-program' } }))
  const credentials = createFileCredentials(file)
  assert.deepEqual(await credentials('old.example'), { kind: 'basic', user: 'me', password: 'se:cret' })
  assert.deepEqual(await credentials('plain.example:5000'), { kind: 'basic', user: 'me', password: 'secret' })
  assert.deepEqual(await credentials('token.example'), { kind: 'identity-token', token: 'the-token' })
  for (const host of ['empty.example', 'helped.example', 'plain.example']) {
    assert.equal(await credentials(host), undefined, host)
  }
  await assert.rejects(createFileCredentials(join(directory, 'none'))('x'))
})

test('challenges: schemes and parameters as registries write them', () => {
  const bearer = 'Bearer realm="https://auth.example/token",service="a \\"b\\"", scope=plain'
  assert.deepEqual(parseChallenge(bearer), {
    scheme: 'bearer',
    parameters: { realm: 'https://auth.example/token', service: 'a "b"', scope: 'plain' },
  })
  assert.equal(parseChallenge('Negotiate, Basic realm="x"')?.scheme, 'basic')
  assert.deepEqual(parseChallenge('basic')?.parameters, {})
  assert.equal(parseChallenge('Digest realm="x"'), undefined)
  assert.equal(parseChallenge(''), undefined)
})

test('tokens: an identity token is traded in; token servers without TLS are for registries of this machine', async (t) => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      seen.push(`${request.method} ${body}`)
      response.end(JSON.stringify({ access_token: 'traded', expires_in: 60 }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => void server.close())
  const challenge = `Bearer realm="http://127.0.0.1:${(server.address() as AddressInfo).port}/t",service="s"`
  const authorisationOf = (isPlain: boolean) =>
    createAuthorisation({
      host: 'registry.example',
      isPlain,
      http: createRegistryHttp({ clock, retryAfterMs: [] }),
      credentials: async () => ({ kind: 'identity-token', token: 'long lived' }),
      clock,
    })
  const plain = authorisationOf(true)
  assert.equal(await plain.answer('team/app', challenge), 'Bearer traded')
  assert.equal(plain.known('team/app'), 'Bearer traded')
  assert.equal(plain.known('team/other'), undefined)
  assert.deepEqual(
    [...new URLSearchParams(seen[0]?.replace('POST ', ''))],
    [
      ['service', 's'],
      ['scope', 'repository:team/app:pull'],
      ['grant_type', 'refresh_token'],
      ['client_id', 'lambent'],
      ['refresh_token', 'long lived'],
    ],
  )
  await assert.rejects(authorisationOf(false).answer('team/app', challenge), /without TLS/)
  assert.equal(seen.length, 1)
})
