/** What the tests of the HTTP Runtime API share. */
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'

import type { GuestInvocation } from '#contracts/invocation.ts'
import type { HttpSession } from '#data-plane/runtime-api/http-session.ts'
import { createRouteService } from '#data-plane/runtime-api/http-service.ts'
import { createHttpSession } from '#data-plane/runtime-api/http-session.ts'

import * as act from './fake-runtime.ts'

/** Of a response, in these tests. */
export const MAX_BYTES = 100_000
export const NEXT = '/2018-06-01/runtime/invocation/next'

/** A Runtime API on the loopback, with its session; `run` lets a runtime do a list of actions. */
export async function startRuntimeApi(): Promise<
  AsyncDisposable & {
    session: HttpSession
    port: number
    run: (...actions: act.Action[]) => Promise<readonly act.Answer[]>
  }
> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const service = createRouteService()
  const stopServing = service.serve(server)
  const own = createHttpSession({ service, maxResponseBytes: MAX_BYTES })
  // As in a run of a guest: the session and the service end together.
  const session: HttpSession = {
    ...own,
    close() {
      own.close()
      stopServing()
    },
  }
  return {
    session,
    port,
    run: (...actions) => act.runFakeRuntime(port, actions),
    async [Symbol.asyncDispose]() {
      session.close()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

export function invocation(more: Partial<GuestInvocation> = {}): GuestInvocation {
  return {
    requestId: 'request-1',
    payload: Buffer.from('{"a":1}'),
    deadlineMs: 1_790_000_000_123,
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    ...more,
  }
}

/** A connection that sends bytes as they are and gives back everything it received until it ends. */
export async function exchange(
  port: number,
  parts: readonly (string | Uint8Array)[],
  until: RegExp,
): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  const done = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (until.test(text)) resolve()
    })
    socket.on('close', () => resolve())
    socket.on('error', () => resolve())
  })
  for (const part of parts) {
    socket.write(part)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await done
  socket.destroy()
  return text
}
