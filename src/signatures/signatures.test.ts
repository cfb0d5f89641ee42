import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { openZipSource } from '#archives/zip-source.ts'
import { listZip } from '#archives/zip-listing.ts'
import { DEFAULT_ARCHIVE_LIMITS } from '#archives/archive-limits.ts'
import { readEntry } from '#archives/zip-content.ts'
import { createAuthority, createSigner } from '#signatures/certificates.ts'
import { signPackage } from '#signatures/sign-package.ts'
import { verifyPackage } from '#signatures/verify-package.ts'

import { buildZip, type ZipPart } from '../../test/support/zip-builder.ts'

const NOW = Date.UTC(2026, 8, 28, 9, 19, 26, 800)
const DAY = 86_400_000
const validity = { fromMs: NOW - DAY, untilMs: NOW + DAY }
const authority = createAuthority('Test authority', validity)
const root = new X509Certificate(authority.certificate)
const claims = {
  profileVersionArn: 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/team/0123456789',
  jobArn: 'arn:aws:signer:us-east-1:000000000000:/signing-jobs/11111111-2222-3333-4444-555555555555',
  signedAt: NOW,
  expiresAt: Date.UTC(2037, 11, 28),
}
const FILES: readonly ZipPart[] = [
  { name: 'index.js', data: 'exports.handler = async () => 1', deflate: true },
  { name: 'lib/', mode: 0o040755 },
  { name: 'lib/ü.js', data: 'x'.repeat(300_000), deflate: true },
]
const sha384 = (data: Uint8Array) => createHash('sha384').update(data).digest()

async function signed(parts: readonly ZipPart[], options: { by?: typeof authority } = {}): Promise<Buffer> {
  const by = options.by ?? authority
  const zip = buildZip(parts)
  const source = openZipSource(zip)
  const signer = createSigner(by, 'Test signer', validity)
  const { keepBytes, tail } = await signPackage(source, claims, { signer, authority: by.certificate })
  return Buffer.concat([zip.subarray(0, keepBytes), tail])
}
const verify = (zip: Uint8Array) => verifyPackage(zip, async () => [root])

/** Name and content of every entry, as the archive lists them. */
async function partsOf(zip: Uint8Array): Promise<readonly ZipPart[]> {
  const source = openZipSource(zip)
  const { named } = await listZip(source, DEFAULT_ARCHIVE_LIMITS)
  return named.map((entry) => ({
    name: entry.name,
    data: Buffer.from(readEntry(source, entry)),
    mode: entry.kind === 'directory' ? 0o040755 : 0o100644,
  }))
}

test('a package that was signed is verified, and is read back with its claims', async () => {
  const zip = await signed(FILES)
  assert.deepEqual(await verify(zip), claims)
  const names = (await partsOf(zip)).map(({ name }) => name)
  assert.deepEqual(names, [
    ...FILES.map(({ name }) => name),
    'META_INF/',
    'META_INF/aws_signer_signature_v1.0.SF',
  ])
})

test('compressing anew changes nothing; order, names, contents and further entries do', async () => {
  const parts = await partsOf(await signed(FILES))
  assert.deepEqual(await verify(buildZip(parts)), claims)
  const changes: readonly (readonly ZipPart[])[] = [
    [...parts.slice(1), ...parts.slice(0, 1)],
    parts.map((part) => (part.name === 'index.js' ? { ...part, name: 'other.js' } : part)),
    parts.map((part) => (part.name === 'index.js' ? { ...part, data: 'evil()' } : part)),
    [...parts, { name: 'added.js', data: '' }],
    parts.filter(({ name }) => name !== 'META_INF/'),
    parts.filter(({ name }) => name !== 'index.js'),
  ]
  for (const changed of changes) {
    assert.deepEqual(await verify(buildZip(changed)), {
      broken: 'The content was changed after it was signed',
    })
  }
})

test('a package without the file is not signed; garbage in its place is broken, whatever it is', async () => {
  assert.equal(await verify(buildZip(FILES)), undefined)
  const parts = await partsOf(await signed(FILES))
  const pem = String(parts.at(-1)?.data)
  const withSignature = (data: string) =>
    verify(buildZip([...parts.slice(0, -1), { name: 'META_INF/aws_signer_signature_v1.0.SF', data }]))
  const der = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64')
  const enclose = (bytes: Uint8Array) =>
    `-----BEGIN PKCS7-----\n${Buffer.from(bytes).toString('base64')}\n-----END PKCS7-----\n`
  assert.deepEqual(await withSignature(enclose(der)), claims)
  const deep = Buffer.concat([Buffer.from('3080'.repeat(70), 'hex'), der, Buffer.alloc(140)])
  for (const bad of [
    '',
    'text',
    enclose(Buffer.alloc(3)),
    enclose(Buffer.concat([der, Buffer.alloc(1)])),
    enclose(deep),
  ]) {
    assert.ok((await withSignature(bad))?.broken, bad.slice(0, 40))
  }
  // Every octet matters: none may be changed without the signature breaking, or its claims staying as they are.
  for (let at = 0; at < der.byteLength; at += 7) {
    const changed = Buffer.from(der)
    changed[at] = (changed[at] ?? 0) ^ 0x01
    const found = await withSignature(enclose(changed))
    if (found?.broken === undefined) assert.deepEqual(found, claims, `octet ${at}`)
  }
})

test('a signer of another authority is not trusted, even when it comes along', async () => {
  const other = createAuthority('Test authority', validity)
  assert.deepEqual(await verify(await signed(FILES, { by: other })), { broken: 'The signer is not trusted' })
})

test('the envelope may have indefinite lengths, as those of AWS have', async () => {
  const parts = await partsOf(await signed(FILES))
  const der = Buffer.from(String(parts.at(-1)?.data).split('\n').slice(1, -2).join(''), 'base64')
  // SEQUENCE { oid, [0] { SignedData } } with both outer lengths left open.
  const head = der.indexOf(Buffer.from('06092a864886f70d010702', 'hex'))
  const signedData = der.subarray(head + 11 + 4)
  const open = Buffer.concat([
    Buffer.from('3080', 'hex'),
    der.subarray(head, head + 11),
    Buffer.from('a080', 'hex'),
    signedData,
    Buffer.alloc(4),
  ])
  const data = `-----BEGIN PKCS7-----\n${open.toString('base64')}\n-----END PKCS7-----\n`
  const name = 'META_INF/aws_signer_signature_v1.0.SF'
  assert.deepEqual(await verify(buildZip([...parts.slice(0, -1), { name, data }])), claims)
})

const hasOpenSsl = spawnSync('openssl', ['version']).status === 0
const unless = { skip: hasOpenSsl ? undefined : 'openssl is not installed' }

test('OpenSSL verifies the signature too, over a digest that is made here anew', unless, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'lambent-cms-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const parts = await partsOf(await signed(FILES))
  const pem = String(parts.at(-1)?.data)
  const content = sha384(
    Buffer.concat(
      parts.slice(0, -1).flatMap(({ name, data = '' }) => [Buffer.from(name), Buffer.from(data)]),
    ),
  )
  const file = (name: string, data: string | Uint8Array) => {
    writeFileSync(join(directory, name), data)
    return join(directory, name)
  }
  const output = execFileSync(
    'openssl',
    // prettier-ignore
    ['cms', '-verify', '-binary', '-inform', 'PEM', '-purpose', 'any', '-attime', String(Math.floor(NOW / 1000)),
      '-in', file('signature.pem', pem.replaceAll('PKCS7', 'CMS')), '-content', file('content', content),
      '-CAfile', file('root.pem', root.toString()), '-out', join(directory, 'out')],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
  )
  assert.equal(output, '')
  const described = execFileSync('openssl', ['x509', '-noout', '-text', '-in', join(directory, 'root.pem')], {
    encoding: 'utf8',
  })
  assert.match(described, /CA:TRUE/)
})
