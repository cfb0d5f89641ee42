import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { FunctionUrl } from '#contracts/function-url.ts'
import { corsHeaders, preflightHeaders } from '#triggers/function-url/cors.ts'
import { commonLogTime, urlEvent, type UrlRequest } from '#triggers/function-url/event.ts'
import { locateUrl } from '#triggers/function-url/locate.ts'
import { urlResponse } from '#triggers/function-url/response.ts'

const ID = 'a'.repeat(32)
const URL_DOCUMENT: FunctionUrl = {
  account: '000000000000',
  region: 'us-east-1',
  name: 'f',
  urlId: ID,
  qualifier: '$LATEST',
  authType: 'NONE',
  invokeMode: 'BUFFERED',
  createdAt: 0,
  modifiedAt: 0,
}
const REQUEST: UrlRequest = {
  method: 'POST',
  path: '/pa2%Fth/1',
  query: 'a=1&a=2&b=%20x',
  rawHeaders: [
    'Host',
    `${ID}.lambda-url.us-east-1.localhost:4566`,
    'X-Two',
    '1',
    'X-Two',
    '2',
    'Cookie',
    'c=1; d=2',
  ],
  body: new Uint8Array(),
  sourceIp: '127.0.0.1',
  domainName: `${ID}.lambda-url.us-east-1.localhost`,
  protocol: 'http',
}
const STAMP = { requestId: 'r', nowMs: Date.UTC(2020, 2, 12, 19, 3, 58), traceId: undefined }

test('function url: an event keeps the path as it came and joins what is repeated', () => {
  const event = urlEvent(URL_DOCUMENT, REQUEST, STAMP, undefined) as Record<string, never>
  assert.deepEqual(JSON.parse(JSON.stringify(event)), {
    version: '2.0',
    routeKey: '$default',
    rawPath: '/pa2%Fth/1',
    rawQueryString: 'a=1&a=2&b=%20x',
    cookies: ['c=1', 'd=2'],
    headers: {
      host: `${ID}.lambda-url.us-east-1.localhost:4566`,
      'x-two': '1,2',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-port': '4566',
    },
    queryStringParameters: { a: '1,2', b: ' x' },
    requestContext: {
      accountId: 'anonymous',
      apiId: ID,
      domainName: `${ID}.lambda-url.us-east-1.localhost`,
      domainPrefix: ID,
      http: {
        method: 'POST',
        path: '/pa2%Fth/1',
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: '',
      },
      requestId: 'r',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2020:19:03:58 +0000',
      timeEpoch: STAMP.nowMs,
    },
    isBase64Encoded: false,
  })
})

test('function url: text bodies travel as text, others as base64', () => {
  const withBody = (type: string, body: Uint8Array) =>
    urlEvent(URL_DOCUMENT, { ...REQUEST, rawHeaders: ['content-type', type], body }, STAMP, undefined) as {
      body: string
      isBase64Encoded: boolean
    }
  const text = withBody('application/json; charset=utf-8', Buffer.from('{"a":"é"}'))
  assert.deepEqual([text.body, text.isBase64Encoded], ['{"a":"é"}', false])
  const binary = withBody('image/png', Buffer.from([0, 255]))
  assert.deepEqual([binary.body, binary.isBase64Encoded], ['AP8=', true])
})

test('function url: the time of the common log format', () => {
  assert.equal(commonLogTime(0), '01/Jan/1970:00:00:00 +0000')
})

for (const [answer, status, type, body] of [
  ['"hello"', 200, 'application/json', 'hello'],
  ['17', 200, 'application/json', '17'],
  ['{"a":1}', 200, 'application/json', '{"a":1}'],
  ['null', 200, 'application/json', 'null'],
  ['{"statusCode":201,"body":"made"}', 201, 'application/json', 'made'],
  ['{"statusCode":200,"headers":{"Content-Type":"text/html"},"body":"<b>"}', 200, 'text/html', '<b>'],
  ['{"statusCode":200,"body":"aGk=","isBase64Encoded":true}', 200, 'application/json', 'hi'],
  ['{"statusCode":"nonsense"}', 502, 'application/json', 'Internal Server Error'],
  ['{"statusCode":200,"headers":{"a\\r\\nb":"c"}}', 502, 'application/json', 'Internal Server Error'],
  [
    '{"statusCode":200,"headers":{"x":"a\\r\\nSet-Cookie: b"}}',
    502,
    'application/json',
    'Internal Server Error',
  ],
] as const) {
  test(`function url: ${answer} becomes ${status} ${body}`, () => {
    const response = urlResponse(Buffer.from(answer))
    assert.deepEqual(
      [response.status, response.headers['content-type'], Buffer.from(response.body).toString()],
      [status, type, body],
    )
  })
}

test("function url: cookies become headers, and a function cannot set the transport's own", () => {
  const { headers } = urlResponse(
    Buffer.from('{"statusCode":200,"cookies":["a=1","b=2"],"headers":{"Transfer-Encoding":"chunked","x":1}}'),
  )
  assert.deepEqual(headers, { 'content-type': 'application/json', x: '1', 'set-cookie': ['a=1', 'b=2'] })
})

test('function url: is found by host name, by path, and not elsewhere', () => {
  assert.deepEqual(locateUrl(`${ID}.lambda-url.us-east-1.localhost:4566`, '/x'), { urlId: ID, path: '/x' })
  assert.deepEqual(locateUrl('127.0.0.1:4566', `/_lambent/url/${ID}/x/y`), { urlId: ID, path: '/x/y' })
  assert.deepEqual(locateUrl(undefined, `/_lambent/url/${ID}`), { urlId: ID, path: '/' })
  for (const host of ['127.0.0.1:4566', 'lambda.us-east-1.amazonaws.com', `${ID}.example.org`, undefined]) {
    assert.equal(locateUrl(host, '/2015-03-31/functions/'), undefined)
  }
})

test('function url: cross-origin headers for allowed origins only', () => {
  const cors = {
    allowOrigins: ['https://*.example.org'],
    allowCredentials: true,
    allowMethods: ['GET'],
    maxAgeSeconds: 5,
  }
  assert.deepEqual(corsHeaders(cors, 'https://a.example.org'), {
    'access-control-allow-origin': 'https://a.example.org',
    'access-control-allow-credentials': 'true',
    vary: 'Origin',
  })
  assert.deepEqual(corsHeaders(cors, 'https://evil.org'), {})
  assert.deepEqual(corsHeaders({ allowOrigins: ['*'] }, 'https://x'), { 'access-control-allow-origin': '*' })
  assert.equal(preflightHeaders(cors, 'https://a.example.org')['access-control-max-age'], '5')
  assert.deepEqual(preflightHeaders(cors, undefined), {})
})
