/** Walks over the whole models through a real server: whatever is wrong with a request, the answer is the right one. */
import assert from 'node:assert/strict'
import { Agent, createServer, request, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'

import * as fc from 'fast-check'

import { seededRandom } from '#kernel/random.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import { createDoor } from '#wire/door.ts'
import { kmsModel } from '#wire/models/kms.ts'
import { lambdaModel } from '#wire/models/lambda.ts'
import { logsModel } from '#wire/models/logs.ts'

import {
  anyBody,
  blank,
  breakages,
  inputOf,
  leavesOf,
  lower,
  placeOf,
  wrongKinds,
  type Sent,
} from '../../test/support/wire-requests.ts'

const MODELS = [lambdaModel, logsModel, kmsModel]
interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly code: string
  readonly message: string
}

describe('every operation', () => {
  let server: Server
  let port = 0
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const called: string[] = []
  const logged: unknown[] = []

  before(async () => {
    const door = createDoor({
      services: MODELS.map((model) => ({
        model,
        handlers: Object.fromEntries(
          Object.keys(model.operations).map((name) => [
            name,
            async () => {
              called.push(name)
              return {}
            },
          ]),
        ),
      })),
      auth: { mode: 'off' },
      account: '000000000000',
      region: 'us-east-1',
      clock: createVirtualClock(),
      random: seededRandom(1),
      logger: { error: (_message, fields) => logged.push(fields) },
    })
    server = createServer(door)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  after(() => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
  })

  const send = ({ method, path, headers = {}, body }: Sent): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, agent, method, path, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, string>) : {}
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            code: String(response.headers['x-amzn-errortype'] ?? json['__type'] ?? ''),
            message: json['message'] ?? json['Message'] ?? '',
          })
        })
      })
      sent.on('error', reject)
      // Node's client frames the body of a GET or DELETE only when it is told its length.
      if (body !== undefined) sent.setHeader('Content-Length', Buffer.byteLength(body))
      sent.end(body)
    })

  /** Fails unless the request was refused with this error and no handler ran. */
  const refused = async (sent: Sent, code: string): Promise<Answer> => {
    called.length = 0
    const answer = await send(sent)
    assert.deepEqual(
      [answer.status, answer.code],
      [400, code],
      `${sent.method} ${sent.path} ${String(sent.body)}: ${answer.message}`,
    )
    assert.match(String(answer.headers['x-amzn-requestid']), /^[0-9a-f-]{36}$/)
    assert.deepEqual(called, [])
    return answer
  }

  for (const model of MODELS) {
    const operations = Object.entries(model.operations)

    test(`${model.name}: names each required member that is missing`, async () => {
      for (const [name, operation] of operations) {
        const shape = inputOf(model, operation)
        const required = (shape?.required ?? []).filter((member) => placeOf(shape, member) !== 'label')
        if (required.length === 0) continue
        const { message } = await refused(blank(model, name), model.validation.error)
        for (const member of required) {
          assert.ok(
            message.includes(
              `Value null at '${lower(member)}' failed to satisfy constraint: Member must not be null`,
            ),
            name,
          )
        }
      }
    })

    test(`${model.name}: says which constraint a member breaks`, async () => {
      let tried = 0
      for (const [name, operation] of operations) {
        for (const leaf of leavesOf(model, operation)) {
          for (const { value, text } of breakages(model, leaf.shape)) {
            const { message } = await refused(leaf.send(blank(model, name), value), model.validation.error)
            assert.ok(
              message.includes(`at '${leaf.path}' failed to satisfy constraint: ${text}`),
              `${name}: ${message}`,
            )
            tried += 1
          }
        }
      }
      assert.ok(tried > 50, `only ${tried} constraints were tried`)
    })

    test(`${model.name}: refuses members of the wrong kind`, async () => {
      for (const [name, operation] of operations) {
        for (const leaf of leavesOf(model, operation)) {
          if (leaf.place !== 'body') continue
          for (const value of wrongKinds(leaf.shape)) {
            await refused(leaf.send(blank(model, name), value), 'SerializationException')
          }
        }
      }
    })

    test(`${model.name}: refuses bodies that are no JSON object, not UTF-8, or cut off`, async () => {
      for (const [name, operation] of operations) {
        const shape = inputOf(model, operation)
        const readsBody = Object.keys(shape?.members ?? {}).some(
          (member) => placeOf(shape, member) === 'body',
        )
        if (!readsBody) continue
        for (const body of [
          '[]',
          '"x"',
          '1',
          '{',
          '{"a":}',
          Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
        ]) {
          await refused({ ...blank(model, name), body }, 'SerializationException')
        }
      }
    })

    test(`${model.name}: never fails, whatever the body, the query and the method`, async () => {
      const anyRequest = fc.record({
        name: fc.constantFrom(...operations.map(([name]) => name)),
        method: fc.constantFrom('', '', '', 'GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'),
        query: fc.option(fc.string({ unit: fc.constantFrom(...'ab=&%+/?:1é') })),
        body: fc.oneof(fc.json(), fc.string(), fc.uint8Array(), anyBody(model)),
      })
      const check = async ({
        name,
        method,
        query,
        body,
      }: {
        name: string
        method: string
        query: string | null
        body: string | Uint8Array
      }) => {
        const base = blank(model, name)
        const extra =
          query === null
            ? ''
            : `${base.path.includes('?') ? '&' : '?'}${encodeURI(query).replaceAll('%25', '%')}`
        const answer = await send({
          ...base,
          method: method === '' ? base.method : method,
          path: base.path + extra,
          body,
        })
        assert.ok(
          answer.status < 500,
          `${name} ${answer.status}: ${answer.message} ${JSON.stringify(logged.at(-1))}`,
        )
        assert.ok(
          answer.status < 300 ||
            [model.validation.error, 'SerializationException', 'AccessDeniedException'].includes(answer.code),
          answer.code,
        )
      }
      await fc.assert(fc.asyncProperty(anyRequest, check), { numRuns: 400, seed: 7 })
      assert.deepEqual(logged, [])
    })
  }

  test('lambda: refuses text that is no number, no boolean and no date where one travels in the URL', async () => {
    for (const [name, operation] of Object.entries(lambdaModel.operations)) {
      const shape = inputOf(lambdaModel, operation)
      for (const [member, bound] of Object.entries(shape?.members ?? {})) {
        if (typeof bound === 'string' || bound.in !== 'query') continue
        const kind = lambdaModel.shapes[bound.shape]?.type
        if (kind === 'string' || kind === 'list') continue
        const { path, ...rest } = blank(lambdaModel, name)
        const query = `${path.includes('?') ? '&' : '?'}${bound.name ?? member}=nothing`
        await refused({ ...rest, path: path + query }, 'SerializationException')
      }
    }
  })

  test('lambda: refuses labels that are not percent-encoded text', async () => {
    await refused({ method: 'GET', path: '/2015-03-31/functions/%ff' }, 'SerializationException')
    await refused({ method: 'GET', path: '/2015-03-31/functions/%zz' }, 'SerializationException')
  })

  test('logs: answers unknown targets with UnknownOperationException', async () => {
    for (const target of ['Logs_20140328.Nothing', 'Logs_20140328.', 'Logs_20140328.constructor']) {
      await refused(
        { method: 'POST', path: '/', headers: { 'X-Amz-Target': target }, body: '{}' },
        'UnknownOperationException',
      )
    }
  })

  test('huge headers never reach an operation', async () => {
    called.length = 0
    const headers = { 'X-Amz-Client-Context': 'x'.repeat(64 * 1024) }
    const path = '/2015-03-31/functions/f/invocations'
    // The server hangs up early: the client sees its answer or a reset connection.
    const status = await send({ method: 'POST', path, headers }).then(
      (answer) => answer.status,
      () => 431,
    )
    assert.equal(status, 431)
    assert.deepEqual(called, [])
  })
})
