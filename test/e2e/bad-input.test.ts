/** Requests that no honest client sends: AWS's error, no change of state, never a failure of ours. */
import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { after, before, beforeEach, afterEach, describe, test } from 'node:test'

import type { LambdaClient } from '@aws-sdk/client-lambda'
import { ListFunctionsCommand, ListLayersCommand } from '@aws-sdk/client-lambda'

import { createFunction, invoke, lambdaClient, ROLE, zipOf } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'
import { buildZip, type ZipPart } from '../support/zip-builder.ts'

interface Raw {
  readonly status: number
  readonly type: string | undefined
  readonly text: string
  readonly body: Record<string, unknown>
}

const FUNCTIONS = '/2015-03-31/functions'
const NOT_A_ZIP = 'Could not unzip uploaded file. Please check your file, then try to upload again.'

describe('bad input', () => {
  let program: Program
  let lambda: LambdaClient

  const send = (
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Raw> =>
    new Promise((resolve, reject) => {
      const request = httpRequest(
        { host: '127.0.0.1', port: program.port, method, path, headers, agent: false },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('end', () => {
            const text = Buffer.concat(chunks).toString()
            let parsed: unknown
            try {
              parsed = JSON.parse(text)
            } catch {
              parsed = {}
            }
            resolve({
              status: response.statusCode ?? 0,
              type: response.headers['x-amzn-errortype'] as string | undefined,
              text,
              body: parsed as Record<string, unknown>,
            })
          })
        },
      )
      request.on('error', reject)
      request.end(body)
    })
  /** Bytes on a bare connection; what came back until it was closed or went silent. */
  const raw = (bytes: string | Uint8Array): Promise<string> =>
    new Promise((resolve) => {
      let seen = ''
      const socket = connect(program.port, '127.0.0.1', () => socket.write(bytes))
      socket.setTimeout(2000, () => socket.destroy())
      socket.on('data', (chunk: Buffer) => (seen += chunk.toString('latin1')))
      socket.on('error', () => {})
      socket.on('close', () => resolve(seen))
    })
  const create = (zip: Uint8Array | string, more: object = {}) =>
    send(
      'POST',
      FUNCTIONS,
      JSON.stringify({
        FunctionName: 'never',
        Runtime: 'nodejs26.x',
        Handler: 'index.handler',
        Role: ROLE,
        Code: { ZipFile: typeof zip === 'string' ? zip : Buffer.from(zip).toString('base64') },
        ...more,
      }),
    )
  const refused = (answer: Raw, status: number, type: string, message?: string | RegExp) => {
    assert.deepEqual([answer.status, answer.type], [status, type], answer.text)
    const text = String(answer.body['message'] ?? answer.body['Message'] ?? '')
    if (typeof message === 'string') assert.equal(text, message)
    else if (message) assert.match(text, message)
  }

  const state = async () => ({
    functions: (await lambda.send(new ListFunctionsCommand({}))).Functions,
    layers: (await lambda.send(new ListLayersCommand({}))).Layers,
  })
  let before_: Awaited<ReturnType<typeof state>>
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    await createFunction(lambda, {
      FunctionName: 'there',
      files: { 'index.js': 'exports.handler = async (event) => event' },
    })
  })
  after(() => program.stop())
  beforeEach(async () => {
    before_ = await state()
  })
  afterEach(async () => {
    assert.deepEqual(await state(), before_, 'a refused request changed something')
    assert.equal((await invoke(lambda, 'there', { still: 'works' })).text, '{"still":"works"}')
  })

  test('archives that are no archives', async () => {
    const good = await zipOf({ 'index.js': 'exports.handler = async () => 1' })
    const bad: Record<string, Uint8Array> = {
      text: Buffer.from('this is not a zip'),
      'only an end record cut short': good.subarray(0, 10),
      truncated: good.subarray(0, good.length - 8),
      'without its middle': Buffer.concat([good.subarray(0, 20), good.subarray(60)]),
      'an offset beyond the end': (() => {
        const copy = Buffer.from(good)
        copy.writeUInt32LE(0xfffffff0, copy.length - 6)
        return copy
      })(),
    }
    for (const [name, zip] of Object.entries(bad)) {
      const answer = await create(zip)
      refused(answer, 400, 'InvalidParameterValueException', NOT_A_ZIP)
      assert.equal(answer.body['Type'], 'User', name)
    }
  })

  test('archives that attack', async () => {
    const bad: Record<string, readonly ZipPart[]> = {
      'leads upwards': [{ name: '../../evil', data: 'x' }],
      'leads upwards inside': [{ name: 'a/../../evil', data: 'x' }],
      absolute: [{ name: '/etc/cron.d/evil', data: 'x' }],
      backslashes: [{ name: String.raw`..\..\evil`, data: 'x' }],
      drive: [{ name: 'C:/evil', data: 'x' }],
      'NUL in a name': [{ name: 'a\0b', data: 'x' }],
      'link upwards': [{ name: 'link', data: '../../../etc/shadow', mode: 0o120777 }],
      'absolute link': [{ name: 'link', data: '/etc/shadow', mode: 0o120777 }],
      'through a link': [
        { name: 'link', data: '..', mode: 0o120777 },
        { name: 'link/evil', data: 'x' },
      ],
      device: [{ name: 'disk', data: '', mode: 0o060666 }],
      pipe: [{ name: 'pipe', data: '', mode: 0o010666 }],
      encrypted: [{ name: 'index.js', data: 'x', flags: 0x801 }],
      'strange compression': [{ name: 'index.js', data: 'x', method: 14 }],
      'wrong checksum': [{ name: 'index.js', data: 'x', claimedCrc: 1 }],
      'lies about its size': [{ name: 'index.js', data: 'x'.repeat(1000), deflate: true, claimedSize: 10 }],
      'one file twice': [
        { name: 'a', data: '1' },
        { name: 'a', data: '2' },
      ],
      'a file as a directory': [
        { name: 'a', data: '1' },
        { name: 'a/b', data: '2' },
      ],
      'not UTF-8': [{ name: Buffer.from([0xff, 0xfe, 0x41]), data: 'x' }],
      'a thousand names for one file': [
        { name: 'first', data: 'x'.repeat(100) },
        ...Array.from({ length: 1000 }, (_, at) => ({
          name: `n${at}`,
          data: 'x'.repeat(100),
          sharesDataOf: 0,
        })),
      ],
      'too long a name': [{ name: 'a'.repeat(300), data: 'x' }],
    }
    for (const [name, parts] of Object.entries(bad)) {
      const answer = await create(buildZip(parts))
      assert.deepEqual(
        [name, answer.status, answer.type, answer.body['message']],
        [name, 400, 'InvalidParameterValueException', NOT_A_ZIP],
      )
    }
  })

  test('archives that are too much', async () => {
    const bomb = buildZip([{ name: 'index.js', data: Buffer.alloc(300 * 1024 * 1024), deflate: true }])
    refused(
      await create(bomb),
      400,
      'InvalidParameterValueException',
      'Unzipped size must be smaller than 262144000 bytes',
    )
    const many = buildZip(Array.from({ length: 65_534 }, (_, at) => ({ name: `d${at}/e/f`, data: '' })))
    refused(await create(many), 400, 'InvalidParameterValueException', NOT_A_ZIP)
    refused(
      await create(buildZip([])),
      400,
      'InvalidParameterValueException',
      'Uploaded file must be a non-empty zip',
    )
    refused(
      await create(new Uint8Array()),
      400,
      'InvalidParameterValueException',
      'Uploaded file must be a non-empty zip',
    )
    const large = await create(Buffer.alloc(52_428_800))
    refused(large, 413, 'RequestEntityTooLargeException', 'Zipped size must be smaller than 52428800 bytes')
  })

  test('layers are checked as functions are', async () => {
    const publish = (zip: Uint8Array) =>
      send(
        'POST',
        '/2018-10-31/layers/never/versions',
        JSON.stringify({ Content: { ZipFile: Buffer.from(zip).toString('base64') } }),
      )
    refused(await publish(Buffer.from('no zip')), 400, 'InvalidParameterValueException', NOT_A_ZIP)
    refused(
      await publish(buildZip([{ name: '../evil', data: 'x' }])),
      400,
      'InvalidParameterValueException',
      NOT_A_ZIP,
    )
  })

  test('bodies that are no JSON, or other JSON than asked for', async () => {
    for (const body of ['{', '{"FunctionName":"a"', 'null,', '{"a":1}}', '\u0000', "{'a':1}", '{"a":NaN}']) {
      refused(
        await send('POST', FUNCTIONS, body),
        400,
        'SerializationException',
        'Could not parse request body into json',
      )
    }
    refused(
      await send('POST', FUNCTIONS, Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])),
      400,
      'SerializationException',
    )
    for (const body of ['[]', '"text"', '17', 'true']) {
      refused(await send('POST', FUNCTIONS, body), 400, 'SerializationException')
    }
    const wrong = [
      { MemorySize: '128' },
      { MemorySize: 1.5 },
      { FunctionName: 17 },
      { FunctionName: { a: 1 } },
      { Code: 'zip' },
      { Code: [] },
      { Environment: { Variables: ['a'] } },
      { Environment: { Variables: { A: 1 } } },
      { Layers: 'arn' },
      { Publish: 'perhaps' },
      { Code: { ZipFile: 17 } },
      { Code: { ZipFile: '*** not base64 ***' } },
    ]
    for (const members of wrong) {
      const answer = await create('', members)
      assert.equal(answer.status, 400, `${JSON.stringify(members)}: ${answer.text}`)
      assert.match(
        answer.type ?? '',
        /^(SerializationException|InvalidParameterValueException|ValidationException)$/,
      )
    }
    // Deep nesting must not cost a stack.
    const deep = `{"Environment":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`
    assert.equal((await send('POST', FUNCTIONS, deep)).status, 400)
  })

  test('members out of their limits are counted and quoted as in AWS', async () => {
    const zip = await zipOf({ 'index.js': '' })
    refused(
      await create(zip, { MemorySize: 127 }),
      400,
      'ValidationException',
      "1 validation error detected: Value '127' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128",
    )
    refused(
      await create(zip, { Timeout: 0, Handler: 'with space' }),
      400,
      'ValidationException',
      /^2 validation errors detected: Value '/,
    )
    for (const more of [
      { FunctionName: 'a b' },
      { FunctionName: '' },
      { FunctionName: 'ü' },
      { FunctionName: 'x'.repeat(65) },
      { FunctionName: 'arn:aws:lambda:us-east-1:000000000000:function:' },
      { FunctionName: '../../etc/passwd' },
      { Runtime: 'cobol85' },
      { Role: 'nobody' },
      { Handler: 'x'.repeat(129) },
      { Architectures: ['z80'] },
      { EphemeralStorage: { Size: 1 } },
      { Environment: { Variables: { '1A': 'x' } } },
      { Environment: { Variables: { BIG: 'x'.repeat(5000) } } },
      { Environment: { Variables: { AWS_REGION: 'x' } } },
      { Layers: ['arn:aws:lambda:us-east-1:000000000000:layer:none:1'] },
      { Layers: ['no arn'] },
      { Timeout: 901 },
      { Timeout: -1 },
      { Description: 'x'.repeat(257) },
      { PackageType: 'Tarball' },
    ]) {
      const answer = await create(zip, more)
      assert.equal(answer.status, 400, `${JSON.stringify(more)}: ${answer.text}`)
      assert.match(answer.type ?? '', /^(InvalidParameterValueException|ValidationException)$/)
    }
  })

  test('names and ARNs that are none, in paths', async () => {
    const paths = [
      `${FUNCTIONS}/${encodeURIComponent('arn:aws:lambda:us-east-1:000000000000:function')}`,
      `${FUNCTIONS}/${encodeURIComponent('arn:aws:s3:::bucket')}`,
      `${FUNCTIONS}/${encodeURIComponent('a b')}`,
      `${FUNCTIONS}/%00`,
      `${FUNCTIONS}/%2e%2e%2f%2e%2e%2fetc%2fpasswd`,
      `${FUNCTIONS}/%ff%fe`,
      `${FUNCTIONS}/%zz`,
      `${FUNCTIONS}/%`,
      `${FUNCTIONS}/${'x'.repeat(300)}`,
      `${FUNCTIONS}/there?Qualifier=${'x'.repeat(200)}`,
      `${FUNCTIONS}/there?Qualifier=a%20b`,
      `${FUNCTIONS}/__proto__`,
      `${FUNCTIONS}/constructor`,
      `${FUNCTIONS}?MaxItems=0`,
      `${FUNCTIONS}?MaxItems=abc`,
      `${FUNCTIONS}?MaxItems=99999999999999999999`,
      `${FUNCTIONS}?Marker=nonsense`,
      `${FUNCTIONS}?FunctionVersion=SOME`,
      '/2017-03-31/tags/no-arn',
      '/2018-10-31/layers/a%20b/versions',
      '/2018-10-31/layers/a/versions/zero',
      '/2018-10-31/layers?find=LayerVersion&Arn=x',
    ]
    for (const path of paths) {
      for (const method of ['GET', 'DELETE', 'POST', 'PUT']) {
        const answer = await send(method, path)
        // Some are fine for some method: a list with no such page is an empty list.
        assert.ok(
          answer.status < 500 || answer.status === 501,
          `${method} ${path}: ${answer.status} ${answer.text}`,
        )
        if (answer.status >= 400) assert.ok(answer.type, `${method} ${path}: ${answer.text}`)
      }
    }
    refused(
      await send(
        'GET',
        `${FUNCTIONS}/${encodeURIComponent('arn:aws:lambda:eu-west-1:000000000000:function:there')}`,
      ),
      404,
      'ResourceNotFoundException',
      "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')",
    )
  })

  test('wrong methods and unknown operations', async () => {
    const denied = 'Unable to determine service/operation name to be authorized'
    for (const [method, path] of [
      ['PATCH', FUNCTIONS],
      ['DELETE', FUNCTIONS],
      ['GET', '/2015-03-31/nothing'],
      ['GET', '/'],
      ['POST', '/'],
      ['GET', '/2099-01-01/functions'],
      ['OPTIONS', `${FUNCTIONS}/there`],
      ['TRACE', FUNCTIONS],
      ['GET', '//2015-03-31//functions'],
    ] as const) {
      const answer = await send(method, path)
      assert.ok([403, 404, 405].includes(answer.status), `${method} ${path}: ${answer.status} ${answer.text}`)
      if (answer.status === 403 && answer.type === 'AccessDeniedException')
        assert.equal(answer.body['Message'], denied)
    }
    for (const target of [
      'Logs_20140328.Nothing',
      'Logs_20140328.__proto__',
      'Logs_20140328.',
      'DynamoDB_20120810.ListTables',
    ]) {
      const answer = await send('POST', '/', '{}', {
        'x-amz-target': target,
        'content-type': 'application/x-amz-json-1.1',
      })
      assert.ok(answer.status >= 400 && answer.status < 500, `${target}: ${answer.status} ${answer.text}`)
    }
    const notBuilt = await send('POST', '/2021-10-31/functions/there/url', '{"AuthType":"NONE"}')
    assert.ok([501, 201].includes(notBuilt.status), notBuilt.text)
  })

  test('invocations with impossible parts', async () => {
    const path = `${FUNCTIONS}/there/invocations`
    for (const body of ['{', 'abc', '{"a":}', '{"a":1} trailing', Buffer.from([0x22, 0x87, 0x22])]) {
      refused(
        await send('POST', path, body),
        400,
        'InvalidRequestContentException',
        /^Could not parse request body into json: /,
      )
    }
    const impossible: readonly Record<string, string>[] = [
      { 'x-amz-invocation-type': 'Sometimes' },
      { 'x-amz-log-type': 'Everything' },
      { 'x-amz-client-context': '%%%' },
      { 'x-amz-client-context': Buffer.from('not json').toString('base64') },
      { 'x-amz-client-context': Buffer.from('x'.repeat(5000)).toString('base64') },
    ]
    for (const headers of impossible) {
      const answer = await send('POST', path, '{}', headers)
      assert.ok(
        answer.status >= 400 && answer.status < 500,
        `${JSON.stringify(headers)}: ${answer.status} ${answer.text}`,
      )
      assert.ok(answer.type)
    }
    const large = await send('POST', path, Buffer.alloc(6 * 1024 * 1024 + 1, '1'))
    assert.equal(large.status, 413)
    const event = await send('POST', path, `"${'x'.repeat(1024 * 1024)}"`, {
      'x-amz-invocation-type': 'Event',
    })
    assert.equal(event.status, 413)
    assert.equal((await send('POST', `${path}?Qualifier=7`, '{}')).status, 404)
  })

  test('bodies and heads beyond the limits', async () => {
    const huge = await send('POST', FUNCTIONS, Buffer.alloc(70_167_212, 'x')).catch(
      (error: unknown) => error as Error,
    )
    if (!(huge instanceof Error)) {
      refused(
        huge,
        413,
        'RequestEntityTooLargeException',
        'Request must be smaller than 70167211 bytes for the CreateFunction operation',
      )
    }
    const head = await raw(
      `GET ${FUNCTIONS} HTTP/1.1\r\nhost: x\r\n${`a: ${'b'.repeat(1000)}\r\n`.repeat(100)}\r\n`,
    )
    assert.match(head, /^HTTP\/1\.1 431 /)
    assert.match(
      await raw(`GET /${'x'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`),
      /^HTTP\/1\.1 (431|414|400) /,
    )
  })

  test('bytes that are no HTTP, or two requests in one', async () => {
    for (const bytes of [
      Buffer.alloc(1000, 0xff),
      'GET\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef',
      'POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      'POST / HTTP/1.1\r\nhost : x\r\n\r\n',
      'GET / HTTP/1.1\r\n\r\n',
    ]) {
      const answer = await raw(bytes)
      assert.match(answer, /^HTTP\/1\.1 4\d\d /, JSON.stringify(String(bytes).slice(0, 80)))
    }
    // A body that stops half way is a client's affair: no answer is owed, and nothing may be created.
    await raw(`POST ${FUNCTIONS} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"FunctionName":"half"`)
  })
})
