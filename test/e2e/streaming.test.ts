/** Answers that are read while they are written, through the SDK for JavaScript and boto3. */
// parity: InvokeWithResponseStream
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import {
  InvokeCommand,
  InvokeWithResponseStreamCommand,
  TagResourceCommand,
  type InvokeWithResponseStreamCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import {
  createFunction,
  errorOf,
  eventually,
  invoke,
  lambdaClient,
  logMessages,
  logsClient,
} from '../support/clients.ts'
import { clientEnvironment, pythonClients } from '../support/python-clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function'

/** `gate(word)` waits until the function has a tag of that name: whoever tags it lets it go on. */
const NODE_SOURCE = `
const gate = async (context, word) => {
  const arn = context.invokedFunctionArn
  const url = process.env.AWS_ENDPOINT_URL + '/2017-03-31/tags/' + encodeURIComponent(arn)
  for (;;) {
    const { Tags } = await (await fetch(url)).json()
    if (Tags && word in Tags) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
const written = (stream, bytes) => new Promise((resolve) => stream.write(bytes, resolve))
exports.handler = awslambda.streamifyResponse(async (event, stream, context) => {
  console.log('begun')
  stream.setContentType('text/plain')
  switch (event.kind) {
    case 'gated':
      stream.write('one ')
      await gate(context, event.gate)
      stream.write('two')
      break
    case 'late':
      await written(stream, 'some')
      throw new RangeError('half-way')
    case 'exit':
      await written(stream, 'some')
      await gate(context, event.gate)
      process.exit(3)
    case 'hang':
      await written(stream, 'some')
      await new Promise((resolve) => setTimeout(resolve, 60000))
      break
    case 'large':
      for (let left = event.mib; left > 0; left--) await written(stream, Buffer.alloc(1048576, 'x'))
      break
    case 'deaf':
      await written(stream, 'some')
      await gate(context, event.gate)
      await written(stream, Buffer.alloc(4 * 1048576))
      console.log('went on to the end')
      break
    default:
      stream.write('whole')
  }
  stream.end()
  console.log('ended')
})
exports.buffered = async () => 'not streamed'
exports.throws = async () => { throw new TypeError('no such thing') }
`

/** Streams by hand: HTTP chunks on a plain socket, each when the function has the tag that lets it. */
const BOOTSTRAP = `#!/usr/bin/env python3
import base64, http.client, json, os, sys, time, urllib.parse, urllib.request

api = os.environ["AWS_LAMBDA_RUNTIME_API"]
base = "/2018-06-01/runtime/invocation"

def gate(arn, word):
    url = os.environ["AWS_ENDPOINT_URL"] + "/2017-03-31/tags/" + urllib.parse.quote(arn, safe="")
    while True:
        with urllib.request.urlopen(url) as answer:
            if word in json.load(answer).get("Tags", {}):
                return
        time.sleep(0.02)

connection = http.client.HTTPConnection(api)
while True:
    connection.request("GET", base + "/next")
    invocation = connection.getresponse()
    event = json.load(invocation)
    request_id = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
    arn = invocation.headers["Lambda-Runtime-Invoked-Function-Arn"]
    kind = event.get("kind")
    out = http.client.HTTPConnection(api)
    out.putrequest("POST", base + "/" + request_id + "/response")
    out.putheader("Lambda-Runtime-Function-Response-Mode", "streaming")
    out.putheader("Transfer-Encoding", "chunked")
    out.putheader("Content-Type", "text/html")
    out.putheader("Trailer", "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body")
    out.endheaders()

    def chunk(data):
        out.send(b"%x\\r\\n%s\\r\\n" % (len(data), data))

    chunk(b"one ")
    if "gate" in event:
        gate(arn, event["gate"])
    if kind == "exit":
        os._exit(4)
    if kind == "hang":
        time.sleep(60)
    if kind == "error":
        document = json.dumps({"errorType": "Mine", "errorMessage": "half-way"}).encode()
        out.send(b"0\\r\\nLambda-Runtime-Function-Error-Type: Function.Mine\\r\\n")
        out.send(b"Lambda-Runtime-Function-Error-Body: " + base64.b64encode(document) + b"\\r\\n\\r\\n")
    else:
        chunk(b"two")
        out.send(b"0\\r\\n\\r\\n")
    out.getresponse().read()
    out.close()
`

interface Heard {
  readonly text: string
  /** Members of InvokeComplete. */
  readonly end: { readonly ErrorCode?: string; readonly ErrorDetails?: string; readonly LogResult?: string }
  readonly chunks: number
}

describe('streamed answers', () => {
  let program: Program
  let lambda: LambdaClient
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    const node = (FunctionName: string, more = {}) =>
      createFunction(lambda, { FunctionName, files: { 'index.js': NODE_SOURCE }, Timeout: 30, ...more })
    const own = (FunctionName: string, more = {}) =>
      createFunction(lambda, {
        FunctionName,
        files: { bootstrap: { content: BOOTSTRAP, executable: true } },
        Runtime: 'provided.al2023',
        Handler: 'x',
        Timeout: 30,
        ...more,
      })
    await Promise.all([
      node('streams', { MemorySize: 512 }),
      node('brief', { Timeout: 2 }),
      node('buffered', { Handler: 'index.buffered' }),
      node('throws', { Handler: 'index.throws' }),
      own('own'),
      own('own-brief', { Timeout: 2 }),
    ])
  })
  after(() => program.stop())

  const open = (name: string, event: unknown, more: Partial<InvokeWithResponseStreamCommandInput> = {}) =>
    lambda.send(
      new InvokeWithResponseStreamCommand({
        FunctionName: name,
        Payload: Buffer.from(JSON.stringify(event)),
        ...more,
      }),
    )
  const letGo = (name: string, word: string) =>
    lambda.send(new TagResourceCommand({ Resource: `${ARN}:${name}`, Tags: { [word]: '' } }))

  /** Reads to the end; `onText` sees everything so far after every chunk. */
  const hear = async (
    answer: Awaited<ReturnType<typeof open>>,
    onText: (text: string) => Promise<void> | void = () => {},
  ): Promise<Heard> => {
    let text = ''
    let chunks = 0
    let end: Heard['end'] | undefined
    for await (const event of answer.EventStream ?? []) {
      assert.equal(end, undefined, 'nothing comes after the end')
      if (event.PayloadChunk) {
        chunks++
        text += Buffer.from(event.PayloadChunk.Payload ?? []).toString()
        await onText(text)
      }
      end = event.InvokeComplete
    }
    return { text, chunks, end: end ?? assert.fail('the stream has no end') }
  }

  for (const name of ['streams', 'own']) {
    test(`${name}: the client has the first chunk before the function may write the second`, async () => {
      const answer = await open(name, { kind: 'gated', gate: 'first-seen' }, { LogType: 'Tail' })
      assert.equal(answer.$metadata.httpStatusCode, 200)
      assert.equal(answer.ExecutedVersion, '$LATEST')
      const texts: string[] = []
      const heard = await hear(answer, async (text) => {
        texts.push(text)
        // Without this the function waits until it times out.
        if (text === 'one ') await letGo(name, 'first-seen')
      })
      assert.deepEqual(texts, ['one ', 'one two'])
      assert.equal(heard.end.ErrorCode, undefined)
      const log = Buffer.from(heard.end.LogResult ?? '', 'base64').toString()
      assert.match(log, /END RequestId: [^\n]*\nREPORT RequestId: [^\n]*\n$/)
    })
  }

  test('END and REPORT come after the end of the stream', async () => {
    const { end, text } = await hear(await open('streams', {}, { LogType: 'Tail' }))
    assert.equal(text, 'whole')
    const lines = Buffer.from(end.LogResult ?? '', 'base64')
      .toString()
      .split('\n')
    assert.deepEqual(
      lines.map((line) => /^(START|END|REPORT)|\t(begun|ended)$/.exec(line)?.[0].trim() ?? ''),
      ['START', 'begun', 'ended', 'END', 'REPORT', ''],
    )
  })

  test('an error in the middle ends the stream with its document, after what was written', async () => {
    const thrown = await hear(await open('streams', { kind: 'late' }))
    assert.deepEqual([thrown.text, thrown.end.ErrorCode], ['some', 'Unhandled'])
    const document = JSON.parse(thrown.end.ErrorDetails ?? '') as Record<string, unknown>
    assert.deepEqual([document['errorType'], document['errorMessage']], ['RangeError', 'half-way'])

    const trailers = await hear(await open('own', { kind: 'error' }))
    assert.deepEqual([trailers.text, trailers.end.ErrorCode], ['one ', 'Unhandled'])
    assert.deepEqual(JSON.parse(trailers.end.ErrorDetails ?? ''), {
      errorType: 'Mine',
      errorMessage: 'half-way',
    })
  })

  test('a timeout in the middle ends the stream', async () => {
    for (const [name, text] of [
      ['brief', 'some'],
      ['own-brief', 'one '],
    ] as const) {
      const answer = await open(name, { kind: 'hang' }, { LogType: 'Tail' })
      const heard = await hear(answer)
      assert.deepEqual([heard.text, heard.end.ErrorCode], [text, 'Unhandled'])
      const document = JSON.parse(heard.end.ErrorDetails ?? '') as Record<string, unknown>
      assert.equal(document['errorType'], 'Sandbox.Timedout')
      const log = Buffer.from(heard.end.LogResult ?? '', 'base64').toString()
      assert.match(log, /Task timed out after 2\.00 seconds\n+END [^\n]*\nREPORT [^\n]*Status: timeout/)
    }
  })

  test('an exit in the middle ends the stream', async () => {
    for (const [name, code] of [
      ['streams', 3],
      ['own', 4],
    ] as const) {
      const answer = await open(name, { kind: 'exit', gate: 'may-exit' })
      const heard = await hear(answer, async () => void (await letGo(name, 'may-exit')))
      assert.equal(heard.end.ErrorCode, 'Unhandled')
      const document = JSON.parse(heard.end.ErrorDetails ?? '') as Record<string, string>
      assert.equal(document['errorType'], 'Runtime.ExitError')
      assert.match(document['errorMessage'] ?? '', new RegExp(`exit status ${code}$`))
    }
    // The environment recovers.
    assert.equal((await hear(await open('streams', {}))).text, 'whole')
  })

  test('a buffered function answers in one chunk, and its error is the end', async () => {
    const whole = await hear(await open('buffered', {}))
    assert.deepEqual(whole, { text: '"not streamed"', chunks: 1, end: {} })
    const failed = await hear(await open('throws', {}))
    assert.deepEqual([failed.chunks, failed.end.ErrorCode], [0, 'Unhandled'])
    assert.match(failed.end.ErrorDetails ?? '', /^\{"errorType":"TypeError","errorMessage":"no such thing"/)
  })

  test('Invoke collects what a function streams, up to six megabytes', async () => {
    for (const [name, text] of [
      ['streams', 'whole'],
      ['own', 'one two'],
    ] as const) {
      const { Payload, FunctionError } = await lambda.send(
        new InvokeCommand({ FunctionName: name, Payload: Buffer.from('{}') }),
      )
      assert.deepEqual([Buffer.from(Payload ?? []).toString(), FunctionError], [text, undefined])
    }
    const late = await invoke(lambda, 'streams', { kind: 'late' })
    assert.equal((late.payload as { errorMessage: string }).errorMessage, 'half-way')
    const large = await invoke(lambda, 'streams', { kind: 'large', mib: 7 })
    assert.deepEqual(large.payload, {
      errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
      errorType: 'Function.ResponseSizeTooLarge',
    })
  })

  test('more than six megabytes go through a stream', async () => {
    let bytes = 0
    const answer = await open('streams', { kind: 'large', mib: 8 })
    for await (const event of answer.EventStream ?? []) {
      bytes += event.PayloadChunk?.Payload?.byteLength ?? 0
      assert.equal(event.InvokeComplete?.ErrorCode, undefined)
    }
    assert.equal(bytes, 8 * 1_048_576)
  })

  test('DryRun answers 204, and what is wrong with a request is an error as ever', async () => {
    const { $metadata, EventStream } = await open('streams', {}, { InvocationType: 'DryRun' })
    assert.equal($metadata.httpStatusCode, 204)
    void EventStream
    const missing = await errorOf(open('no-such-function', {}))
    assert.deepEqual([missing.name, missing.status], ['ResourceNotFoundException', 404])
    const broken = await errorOf(open('streams', {}, { Payload: Buffer.from('{') }))
    assert.deepEqual([broken.name, broken.status], ['InvalidRequestContentException', 400])
  })

  test('a client that hangs up does not stop the function', async () => {
    await new Promise<void>((resolve, reject) => {
      const request = httpRequest(
        `${program.endpoint}/2021-11-15/functions/streams/response-streaming-invocations`,
        { method: 'POST' },
        (response) => {
          assert.equal(response.headers['content-type'], 'application/vnd.amazon.eventstream')
          response.once('data', () => {
            response.destroy()
            resolve()
          })
        },
      )
      request.on('error', reject)
      request.end(JSON.stringify({ kind: 'deaf', gate: 'hung-up' }))
    })
    await letGo('streams', 'hung-up')
    await eventually('the function has written four megabytes to nobody', async () =>
      (await logMessages(logsClient(program.endpoint), 'streams')).find((message) =>
        message.includes('went on to the end'),
      ),
    )
  })

  test('boto3 reads chunks as they come', async (t) => {
    const clients = pythonClients()
    if (typeof clients === 'string') return t.skip(clients)
    const { stdout } = await promisify(execFile)(
      clients.python,
      [join(import.meta.dirname, 'boto3_streaming.py'), 'streams', 'own'],
      { env: clientEnvironment(program.endpoint), timeout: 60_000 },
    )
    assert.match(stdout, /all as expected/)
  })
})
