import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { test } from 'node:test'

import { createExtensionRegistry } from '#data-plane/runtime-api/extensions/extension-registry.ts'
import { extensionRoutes } from '#data-plane/runtime-api/extensions/extension-routes.ts'
import {
  EXTENSION_MAY_CALL,
  type ExtensionState,
} from '#data-plane/runtime-api/extensions/extension-state.ts'
import { createRouteService } from '#data-plane/runtime-api/http-service.ts'
import type { ExtensionRegistry } from '#data-plane/runtime-api/port.ts'
import { mayFollow } from '#kernel/lifecycle.ts'
import { systemRandom as random } from '#kernel/random.ts'

const FACTS = {
  functionName: 'hello',
  functionVersion: '$LATEST',
  handler: 'index.handler',
  accountId: '000000000000',
}
const INVOKE = { eventType: 'INVOKE', deadlineMs: 7, requestId: 'r', invokedFunctionArn: 'arn' } as const

const faultOf = (registry: ExtensionRegistry) => new Promise((resolve) => void registry.onFault(resolve))

async function startApi() {
  const registry = createExtensionRegistry({ random })
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const service = createRouteService()
  service.add(extensionRoutes({ registry, facts: FACTS, random }))
  const stopServing = service.serve(server)
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/2020-01-01/extension`
  const call = async (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: unknown,
    signal?: AbortSignal,
  ) => {
    const answer = await fetch(`${base}${path}`, {
      method,
      headers,
      ...(signal && { signal }),
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, body: text && (JSON.parse(text) as unknown) }
  }
  const register = async (name: string, events: readonly string[] = ['INVOKE']) => {
    const { headers } = await call('POST', '/register', { 'Lambda-Extension-Name': name }, { events })
    const id = headers.get('Lambda-Extension-Identifier') ?? ''
    return {
      id,
      next: (signal?: AbortSignal) =>
        call('GET', '/event/next', { 'Lambda-Extension-Identifier': id }, undefined, signal),
      report: (kind: 'init' | 'exit', errorType = 'Extension.Broken') =>
        call('POST', `/${kind}/error`, {
          'Lambda-Extension-Identifier': id,
          'Lambda-Extension-Function-Error-Type': errorType,
        }),
    }
  }
  return {
    registry,
    call,
    register,
    async [Symbol.asyncDispose]() {
      stopServing()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

const STATES = Object.keys(EXTENSION_MAY_CALL) as ExtensionState[]
const diagram = readFileSync(new URL('../../../../docs/lifecycles/extension.md', import.meta.url), 'utf8')
const drawn = new Set(
  [...diagram.matchAll(/^ {2}(\w+) --> (\w+): (?!\(host\))/gm)].map(([, from, to]) => `${from} ${to}`),
)
test('an extension may bring about what the diagram says and nothing else', () => {
  for (const from of STATES) {
    for (const to of STATES)
      assert.equal(mayFollow(EXTENSION_MAY_CALL, from, to), drawn.has(`${from} ${to}`), `${from} ${to}`)
  }
})

test('an extension registers, waits, and gets the events it asked for', async () => {
  await using api = await startApi()
  assert.ok(api.registry.expect('agent'))
  const registered = api.registry.whenRegistered()
  const answer = await api.call(
    'POST',
    '/register',
    { 'Lambda-Extension-Name': 'agent', 'Lambda-Extension-Accept-Feature': 'other, accountId' },
    { events: ['INVOKE', 'SHUTDOWN'] },
  )
  await registered
  assert.deepEqual([answer.status, answer.body], [200, FACTS])
  const id = answer.headers.get('Lambda-Extension-Identifier') ?? ''
  const next = () => api.call('GET', '/event/next', { 'Lambda-Extension-Identifier': id })
  const first = next()
  await api.registry.whenReady()
  assert.deepEqual(api.registry.send(INVOKE), ['agent'])
  const { headers, body } = await first
  assert.match(headers.get('Lambda-Extension-Event-Identifier') ?? '', /^[0-9a-f-]{36}$/)
  assert.deepEqual(body, INVOKE)
  let ready = false
  const again = api.registry.whenReady().then(() => (ready = true))
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(ready, false)
  const second = next()
  await again
  api.registry.send({ eventType: 'SHUTDOWN', deadlineMs: 9, shutdownReason: 'spindown' })
  assert.deepEqual((await second).body, { eventType: 'SHUTDOWN', deadlineMs: 9, shutdownReason: 'spindown' })
})

test('who did not ask for an event is ready all the same', async () => {
  await using api = await startApi()
  const quiet = await api.register('quiet', [])
  const waiting = quiet.next()
  await api.registry.whenReady()
  assert.deepEqual(api.registry.send(INVOKE), [])
  await api.registry.whenReady()
  api.registry.send({ eventType: 'SHUTDOWN', deadlineMs: 9, shutdownReason: 'spindown' })
  void waiting.catch(() => {})
})

test('an event that nobody listened to any more is given to the next call', async () => {
  await using api = await startApi()
  const agent = await api.register('agent')
  const gone = new AbortController()
  const lost = agent.next(gone.signal)
  await api.registry.whenReady()
  gone.abort()
  await assert.rejects(lost)
  await new Promise((resolve) => setTimeout(resolve, 20))
  api.registry.send(INVOKE)
  assert.deepEqual((await agent.next()).body, INVOKE)
})

test('refusals have the types and the texts of AWS', async () => {
  await using api = await startApi()
  const named = (name: string, body: unknown) =>
    api.call('POST', '/register', { 'Lambda-Extension-Name': name }, body)
  const refused = (errorType: string, errorMessage: string) => ({
    status: 403,
    body: { errorMessage, errorType },
  })
  const check = async (
    answer: Promise<{ status: number; body: unknown }>,
    expected: ReturnType<typeof refused>,
  ) => {
    const { status, body } = await answer
    assert.deepEqual({ status, body }, expected)
  }
  await check(
    api.call('POST', '/register', {}, { events: [] }),
    refused('Extension.InvalidExtensionName', 'Empty extension name'),
  )
  await check(
    named('a', { events: ['SHUTDOWN'] }),
    refused('Extension.InvalidEventType', 'SHUTDOWN: ShutdownEventNotSupportedForInternalExtension'),
  )
  await check(
    named('a', { events: ['PING'] }),
    refused('Extension.InvalidEventType', 'PING: ErrorInvalidEventType'),
  )
  await check(
    named('a', { events: [], configurationKeys: ['x'] }),
    refused('InvalidRequestFormat', 'configurationKeys are deprecated; use environment variables instead'),
  )
  assert.equal((await named('a', '{')).status, 403)
  const a = await api.register('a')
  await check(
    named('a', { events: [] }),
    refused('Extension.InvalidExtensionState', 'Extension with this name already registered'),
  )
  for (let n = 1; n < 10; n++) await api.register(`more-${n}`)
  await check(
    named('eleventh', { events: [] }),
    refused('Extension.TooManyExtensions', 'Extension limit (10) reached'),
  )
  await check(
    api.call('GET', '/event/next', {}),
    refused('Extension.MissingExtensionIdentifier', 'Missing Lambda-Extension-Identifier header'),
  )
  await check(
    api.call('GET', '/event/next', { 'Lambda-Extension-Identifier': 'x' }),
    refused('Extension.InvalidExtensionIdentifier', 'Invalid Lambda-Extension-Identifier'),
  )
  const unknown = '01234567-89ab-cdef-0123-456789abcdef'
  await check(
    api.call('GET', '/event/next', { 'Lambda-Extension-Identifier': unknown }),
    refused('Extension.UnknownExtensionIdentifier', `Unknown extension ${unknown}`),
  )
  await check(
    api.call('POST', '/init/error', { 'Lambda-Extension-Identifier': a.id }),
    refused('Extension.MissingHeader', 'Lambda-Extension-Function-Error-Type not found'),
  )
  const waiting = a.next()
  await new Promise((resolve) => setTimeout(resolve, 20))
  await check(
    a.report('init'),
    refused(
      'Extension.InvalidExtensionState',
      `State transition from Ready to InitError failed for extension ${a.id}. Error: State transition is not allowed`,
    ),
  )
  void waiting.catch(() => {})
})

test('after the initialisation nobody registers any more', async () => {
  await using api = await startApi()
  api.registry.close()
  const late = await api.call('POST', '/register', { 'Lambda-Extension-Name': 'late' }, { events: [] })
  assert.deepEqual(late.body, {
    errorMessage: 'Extension registration closed already',
    errorType: 'Extension.RegistrationClosed',
  })
})

test('an extension that gives up is a fault, with what it reported first', async () => {
  await using api = await startApi()
  const agent = await api.register('agent')
  assert.equal((await agent.report('init', 'Extension.First')).status, 202)
  assert.equal((await agent.report('init', 'Extension.Second')).status, 202)
  assert.deepEqual(await faultOf(api.registry), {
    name: 'agent',
    phase: 'init',
    errorType: 'Extension.First',
  })
  assert.equal(api.registry.list()[0]?.state, 'InitError')
})

test('an external extension whose process ends is a fault of the phase it was in', async () => {
  const registry = createExtensionRegistry({ random })
  registry.expect('agent')
  registry.exited('agent')
  assert.deepEqual(await faultOf(registry), { name: 'agent', phase: 'init', errorType: undefined })
})
