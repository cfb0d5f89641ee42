import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { after, before, beforeEach, describe, test } from 'node:test'

import { createVirtualClock, type VirtualClock } from '#kernel/virtual-clock.ts'
import { seededRandom } from '#kernel/random.ts'
import { createDoor } from '#wire/door.ts'
import { lambdaModel } from '#wire/models/lambda.ts'

const INVOKE = 'POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nHost: localhost\r\n'

describe('door limits', () => {
  let server: Server
  let port = 0
  let clock: VirtualClock
  let payloads: string[] = []
  let abortSeen: Promise<unknown> | undefined

  before(async () => {
    clock = createVirtualClock()
    const door = createDoor({
      services: [
        {
          model: lambdaModel,
          handlers: {
            Invoke: async ({ Payload }: { Payload?: Uint8Array }, context) => {
              payloads.push(Buffer.from(Payload ?? []).toString())
              if (payloads.at(-1) === 'wait') {
                const { signal } = context
                abortSeen = once(signal, 'abort')
                await abortSeen
              }
              return { Payload }
            },
          },
        },
      ],
      auth: { mode: 'off' },
      account: '000000000000',
      region: 'us-east-1',
      clock,
      random: seededRandom(1),
      logger: { error: () => undefined },
      maxBody: () => 10,
    })
    server = createServer(door)
    server.on('checkContinue', (request, response) => door(request, response, { awaitsContinue: true }))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  beforeEach(() => {
    payloads = []
  })

  /** Sends text over a fresh connection. `until` resolves with everything received so far once it matches. */
  const dial = async (text: string) => {
    const socket: Socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString()
    })
    socket.write(text)
    const until = async (pattern: RegExp) => {
      while (!pattern.test(received)) {
        await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => assert.fail(received))])
      }
      return received
    }
    return { socket, until }
  }

  test('refuses a declared body that is too large before any of it is read', async () => {
    const { socket, until } = await dial(`${INVOKE}Content-Length: 11\r\n\r\n`)
    const answer = await until(/operation"\}/)
    assert.match(answer, /^HTTP\/1\.1 413 /)
    assert.match(answer, /x-amzn-ErrorType: RequestEntityTooLargeException/)
    assert.match(answer, /"message":"Request must be smaller than 10 bytes for the InvokeFunction operation"/)
    // The connection survives once the client has sent what it promised.
    socket.write(`${'x'.repeat(11)}${INVOKE}Content-Length: 2\r\n\r\nok`)
    await until(/200 OK[^]*ok$/)
    assert.deepEqual(payloads, ['ok'])
    socket.destroy()
  })

  test('closes no connection under a client that still sends what was refused', async () => {
    const { socket, until } = await dial(`${INVOKE}Connection: close\r\nContent-Length: 11\r\n\r\n`)
    await until(/operation"\}/)
    // Whatever the server would have done by now, it has done when another request is answered.
    const other = await dial(`${INVOKE}Content-Length: 2\r\n\r\nok`)
    await other.until(/ok$/)
    other.socket.destroy()
    assert.equal(socket.readableEnded, false)
    const ended = once(socket, 'end')
    socket.write('x'.repeat(11))
    await ended
  })

  test('refuses a body without a declared length as soon as it is too large', async () => {
    const { socket, until } = await dial(
      `${INVOKE}Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n6\r\n123456\r\n`,
    )
    assert.match(await until(/operation"\}/), /^HTTP\/1\.1 413 /)
    assert.deepEqual(payloads, [])
    socket.destroy()
  })

  test('collects a body that comes in chunks', async () => {
    const { socket, until } = await dial(`${INVOKE}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`)
    socket.write('2\r\nde\r\n0\r\n\r\n')
    await until(/abcde$/)
    assert.deepEqual(payloads, ['abcde'])
    socket.destroy()
  })

  test('lets a client that asks first know before it sends', async () => {
    const { socket, until } = await dial(`${INVOKE}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n`)
    await until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/)
    socket.write('ok')
    await until(/200 OK[^]*ok$/)
    socket.destroy()

    const refused = await dial(`${INVOKE}Expect: 100-continue\r\nContent-Length: 11\r\n\r\n`)
    const answer = await refused.until(/operation"\}/)
    assert.match(answer, /^HTTP\/1\.1 413 /)
    assert.match(answer, /Connection: close/)
    refused.socket.destroy()
  })

  test('gives up on a body that stops coming', async () => {
    const { socket, until } = await dial(`${INVOKE}Content-Length: 4\r\n\r\nab`)
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve))
    // The first span sees progress, the second none.
    await clock.advance(20_000)
    await clock.advance(20_000)
    assert.match(await until(/\}/), /^HTTP\/1\.1 408 [^]*RequestTimeoutException/)
    assert.deepEqual(payloads, [])
    socket.destroy()
  })

  test('tells a handler that its client hung up', async () => {
    const { socket } = await dial(`${INVOKE}Content-Length: 4\r\n\r\nwait`)
    while (!abortSeen) await new Promise((resolve) => setImmediate(resolve))
    socket.destroy()
    await abortSeen
  })

  test('answers operations that are not built with 501', async () => {
    const { socket, until } = await dial('GET /2015-03-31/functions/f HTTP/1.1\r\nHost: localhost\r\n\r\n')
    assert.match(await until(/\}$/), /^HTTP\/1\.1 501 [^]*x-amzn-ErrorType: NotImplementedException/)
    socket.destroy()
  })

  test('answers what no service knows', async () => {
    const { socket, until } = await dial('GET /favicon.ico HTTP/1.1\r\nHost: localhost\r\n\r\n')
    assert.match(
      await until(/\}$/),
      /^HTTP\/1\.1 403 [^]*AccessDeniedException[^]*\{"Message":"Unable to determine service\/operation name/,
    )
    socket.destroy()
  })
})
