import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, before, test } from 'node:test'

import { LambdaError } from '#contracts/errors.ts'
import { MAX_ZIP_BYTES } from '#contracts/limits.ts'
import { createBucketReader } from '#control-plane/artifacts/bucket-reader.ts'
import { createCodeLinks } from '#control-plane/artifacts/code-link.ts'
import { createCodeStore } from '#control-plane/artifacts/code-store.ts'
import { systemClock } from '#kernel/clock.ts'
import { openStream } from '#kernel/sealed-stream.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import { canonicalText, deriveKey, signature, stringToSign } from '#wire/sigv4.ts'

import { buildZip } from '../../../test/support/zip-builder.ts'

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secret: 'not a secret', sessionToken: 'token' }
const REGION = 'eu-central-1'

/** As S3 does it: the signature is calculated again from what arrived. */
function signatureHolds(request: IncomingMessage): boolean {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  const found =
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(\d{8})\/eu-central-1\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    )
  const [, date = '', names = '', given = ''] = found ?? []
  const canonical = canonicalText({
    method: request.method ?? '',
    path,
    query,
    signedHeaders: names.split(';'),
    header: (name) => String(request.headers[name]),
    payloadHash: String(request.headers['x-amz-content-sha256']),
    pathAsSent: true,
  })
  const scope = { date, region: REGION, service: 's3' }
  const text = stringToSign(String(request.headers['x-amz-date']), scope, canonical)
  return given === signature(deriveKey(CREDENTIALS.secret, scope), text)
}

const error = (code: string, message: string) =>
  `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message><RequestId>1</RequestId></Error>`

const ZIP = buildZip([{ name: 'index.js', data: 'exports.handler = 1', deflate: true }])
let server: Server
let endpoint = ''
let directory = ''
const requests: string[] = []
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'lambent-code-'))
  server = createServer((request, response) => {
    requests.push(request.url ?? '')
    const path = (request.url ?? '').split('?')[0]
    if (!signatureHolds(request)) {
      response.writeHead(403).end(error('SignatureDoesNotMatch', 'no &amp; never'))
    } else if (path === '/packages/some%20folder/f%2Bn.zip') response.end(ZIP)
    else if (path === '/packages/text.zip') response.end('this is no zip')
    else if (path === '/packages/empty.zip') response.end()
    else if (path === '/packages/huge.zip')
      response.writeHead(200, { 'content-length': 300_000_000 }).write('x')
    else if (path === '/packages/cut.zip') {
      response.writeHead(200, { 'content-length': 1000 })
      response.write(ZIP.subarray(0, 10), () => response.destroy())
    } else if (path?.startsWith('/packages/')) {
      response.writeHead(404).end(error('NoSuchKey', 'The specified key does not exist.'))
    } else response.writeHead(404).end(error('NoSuchBucket', 'The specified bucket does not exist'))
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
after(async () => {
  server.closeAllConnections()
  server.close()
  await rm(directory, { recursive: true, force: true })
})

function create({ url = endpoint, credentials = CREDENTIALS, configured = true } = {}) {
  const store = createMemoryStore({ clock: systemClock })
  const code = createCodeStore({
    blobs: store.blobs,
    links: createCodeLinks({ key: Buffer.alloc(32, 1), clock: systemClock }),
    bucket: configured
      ? createBucketReader({
          endpoint: { url, region: REGION, pathStyle: true, credentials },
          clock: systemClock,
        })
      : undefined,
    temporaryDirectory: directory,
    verifySignature: async () => undefined,
    clock: systemClock,
  })
  return { code, blobs: store.blobs }
}

const refused = (code: string, status: number, message: string) => (reason: unknown) => {
  assert.ok(reason instanceof LambdaError, String(reason))
  assert.deepEqual([reason.code, reason.status, reason.message], [code, status, message])
  return true
}
const invalid = (message: string) => refused('InvalidParameterValueException', 400, message)
const NOT_A_ZIP = 'Could not unzip uploaded file. Please check your file, then try to upload again.'

test('a zip of the request is stored under its digest', async () => {
  const { code, blobs } = create()
  const stored = await code.fromZip(ZIP)
  const digest = createHash('sha256').update(ZIP).digest()
  assert.deepEqual(stored, {
    blob: digest.toString('hex'),
    codeSha256: digest.toString('base64'),
    sizeBytes: ZIP.byteLength,
    unzippedBytes: 19,
  })
  assert.deepEqual(await buffer(await blobs.get(stored.blob)), ZIP)
})

test('what is no usable zip is refused with AWS texts and not stored', async () => {
  const { code, blobs } = create()
  await assert.rejects(code.fromZip(Buffer.from('hello')), invalid(NOT_A_ZIP))
  await assert.rejects(code.fromZip(buildZip([{ name: '../x' }])), invalid(NOT_A_ZIP))
  await assert.rejects(code.fromZip(buildZip([{ name: 'a', data: 'x', claimedCrc: 7 }])), invalid(NOT_A_ZIP))
  await assert.rejects(code.fromZip(new Uint8Array()), invalid('Uploaded file must be a non-empty zip'))
  await assert.rejects(code.fromZip(buildZip([])), invalid('Uploaded file must be a non-empty zip'))
  const digest = createHash('sha256').update('hello').digest('hex')
  assert.equal(await blobs.has(digest), false)
})

test('a zip that is too large, zipped or unzipped, is refused with AWS texts', async () => {
  const { code } = create()
  // As much as deflate could expand to, claimed by the list of entries.
  const tooMuch = buildZip([
    { name: 'zeros', data: Buffer.alloc(260_000), method: 8, claimedSize: 262_144_000 },
  ])
  await assert.rejects(code.fromZip(tooMuch), invalid('Unzipped size must be smaller than 262144000 bytes'))
  await assert.rejects(
    code.fromZip(Buffer.alloc(MAX_ZIP_BYTES)),
    refused('RequestEntityTooLargeException', 413, 'Zipped size must be smaller than 52428800 bytes'),
  )
})

test('an object of a bucket is fetched with a valid signature, key and version encoded', async () => {
  const { code, blobs } = create()
  const stored = await code.fromBucket({ bucket: 'packages', key: 'some folder/f+n.zip', version: 'a/b+c' })
  assert.equal(requests.at(-1), '/packages/some%20folder/f%2Bn.zip?versionId=a%2Fb%2Bc')
  assert.deepEqual(stored, await code.fromZip(ZIP))
  assert.deepEqual(await buffer(await blobs.get(stored.blob)), ZIP)
  assert.deepEqual(await readdir(directory), [])
})

test("S3's errors are passed on in AWS's words", async () => {
  const { code } = create()
  const passedOn = (name: string, message: string) =>
    invalid(`Error occurred while GetObject. S3 Error Code: ${name}. S3 Error Message: ${message}`)
  await assert.rejects(
    code.fromBucket({ bucket: 'packages', key: 'missing.zip' }),
    passedOn('NoSuchKey', 'The specified key does not exist.'),
  )
  await assert.rejects(
    code.fromBucket({ bucket: 'packages', key: '../other/x.zip' }),
    passedOn('NoSuchKey', 'The specified key does not exist.'),
  )
  await assert.rejects(
    code.fromBucket({ bucket: 'other', key: 'x' }),
    passedOn('NoSuchBucket', 'The specified bucket does not exist'),
  )
  await assert.rejects(
    create({ configured: false }).code.fromBucket({ bucket: 'packages', key: 'x' }),
    passedOn('NoSuchBucket', 'The specified bucket does not exist'),
  )
  await assert.rejects(
    create({ credentials: { ...CREDENTIALS, secret: 'wrong' } }).code.fromBucket({
      bucket: 'packages',
      key: 'x',
    }),
    passedOn('SignatureDoesNotMatch', 'no & never'),
  )
})

test('objects that are no zip, empty or too large are refused, and nothing is left on the disk', async () => {
  const { code } = create()
  const from = (key: string) => code.fromBucket({ bucket: 'packages', key })
  await assert.rejects(from('text.zip'), invalid(NOT_A_ZIP))
  await assert.rejects(from('empty.zip'), invalid('Uploaded file must be a non-empty zip'))
  await assert.rejects(from('huge.zip'), invalid('Unzipped size must be smaller than 262144000 bytes'))
  await assert.rejects(from('cut.zip'), { code: 'ServiceException' })
  assert.deepEqual(await readdir(directory), [])
})

test('an endpoint that does not answer is a fault of the platform', async () => {
  await assert.rejects(
    create({ url: 'http://127.0.0.1:9' }).code.fromBucket({ bucket: 'packages', key: 'x' }),
    { code: 'ServiceException', status: 500 },
  )
})

test('a package with a key is stored encrypted, and its link gives it back', async () => {
  const { code, blobs } = create()
  const sealing = {
    key: Buffer.alloc(32, 5),
    encryption: { kmsKeyArn: 'arn:aws:kms:us-east-1:000000000000:key/x', dataKey: 'AA==' },
  }
  const pkg = await code.fromZip(ZIP, sealing)
  assert.deepEqual(
    [pkg.codeSha256, pkg.sizeBytes],
    [createHash('sha256').update(ZIP).digest('base64'), ZIP.byteLength],
  )
  assert.deepEqual(pkg.encryption, sealing.encryption)
  const stored = await buffer(await blobs.get(pkg.blob))
  assert.ok(!stored.includes(ZIP.subarray(0, 30)))
  const opened = openStream(sealing.key)
  opened.end(stored)
  assert.deepEqual(await buffer(opened), ZIP)
  const links = createCodeLinks({ key: Buffer.alloc(32, 1), clock: systemClock })
  const url = new URL(code.location(pkg, { endpoint: 'http://localhost', key: sealing.key }))
  const check = links.check(url.pathname, url.searchParams)
  assert.deepEqual(check, { kind: 'valid', blob: pkg.blob, key: sealing.key })
  // The key is part of what is signed.
  url.searchParams.delete('X-Lambent-Sealed-Key')
  assert.deepEqual(links.check(url.pathname, url.searchParams), { kind: 'forged' })
})
