/** Runs one case of the parity table against a program and compares all of its answer. */
import assert from 'node:assert/strict'

import { eventsIn } from './event-stream.ts'
import { createCapturedClient, type CapturedAnswer, type SharedHandler } from './captured-client.ts'
import { normalise } from './normalise.ts'
import type { Input, ParityCase, Step } from './parity-case.ts'

/** The region that all data of cases speak of. */
const WRITTEN = 'us-east-1'
const SETTLE_DEADLINE_MS = 60_000
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export interface Bench {
  readonly endpoint: string
  readonly agents: SharedHandler
  /** What `{ZipFile: '<zip>'}` and the like stand for. */
  readonly files: Readonly<Record<string, Uint8Array>>
}

/** A region that nobody else uses, in the form that the API's patterns allow; all are equally long. */
export function regionOf(index: number): string {
  const letters = [26 * 26, 26, 1].map((place) => String.fromCharCode(97 + (Math.floor(index / place) % 26)))
  return `zz-parity${letters.join('')}-1`
}

export async function runCase(item: ParityCase, region: string, bench: Bench): Promise<void> {
  const client = createCapturedClient(bench.endpoint, region, bench.agents)
  const known: Record<string, unknown> = {}
  const fill = (value: unknown): unknown => filled(value, { region, known, files: bench.files })
  try {
    for (const step of item.given ?? []) {
      const answer = await take(client.send, step, fill(step.input) as object)
      if (step.as !== undefined) known[step.as] = { ...memberMap(jsonOf(answer)), headers: answer.headers }
      if (step.settles !== undefined) await settle(client.send, step.settles)
    }
    const answer = await client.send(item.operation, fill(item.input) as Input)
    compare(answer, item, region, fill)
  } finally {
    client.close()
  }
}

type Send = (operation: string, input: object) => Promise<CapturedAnswer>

async function take(send: Send, { operation, until }: Step, input: object): Promise<CapturedAnswer> {
  const deadline = Date.now() + SETTLE_DEADLINE_MS
  for (;;) {
    const answer = await send(operation, input)
    assert.ok(answer.status < 300, `${operation} before the case: ${answer.bytes.toString()}`)
    if (until === undefined) return answer
    const found = memberAt(jsonOf(answer), until.member)
    if (found !== undefined && (until.is === undefined || found === until.is)) return answer
    if (Date.now() > deadline) throw new Error(`${operation}: ${until.member} never came to be so`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

const memberAt = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value)

async function settle(send: Send, FunctionName: string): Promise<void> {
  const until = Date.now() + SETTLE_DEADLINE_MS
  for (;;) {
    const state = jsonOf(await send('GetFunctionConfiguration', { FunctionName })) as Record<string, unknown>
    if (state['State'] !== 'Pending' && state['LastUpdateStatus'] !== 'InProgress') return
    if (Date.now() > until) throw new Error(`${FunctionName} stays ${JSON.stringify(state)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

function compare(
  answer: CapturedAnswer,
  { expect }: ParityCase,
  region: string,
  fill: (value: unknown) => unknown,
): void {
  const unfill = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(region, WRITTEN)) as unknown
  const { headers } = answer
  const actual = {
    status: answer.status,
    errorType: headers['x-amzn-errortype'],
    body: normalise(unfill(jsonOf(answer))),
  }
  const wanted = {
    status: expect.status,
    errorType: expect.errorType,
    body: normalise(unfill(fill(expect.body))),
  }
  assert.deepEqual(actual, wanted)
  assert.match(headers['x-amzn-requestid'] ?? '', UUID)
  if (expect.body !== '' && expect.headers?.['content-type'] === undefined) {
    assert.equal(headers['content-type'], 'application/json')
  }
  for (const [name, value] of Object.entries(expect.headers ?? {})) {
    assert.equal(headers[name]?.replaceAll(region, WRITTEN), value ?? undefined, `header ${name}`)
  }
}

const memberMap = (body: unknown) => (typeof body === 'object' && body !== null ? body : {})

/** An object or list when the body is one; the events of an event stream; else its text, so that nothing passes as "no body". */
function jsonOf({ bytes, headers }: CapturedAnswer): unknown {
  if (headers['content-type'] === 'application/vnd.amazon.eventstream') return eventsIn(bytes)
  const text = bytes.toString('utf8')
  return text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text
}

interface Filling {
  readonly region: string
  readonly known: Readonly<Record<string, unknown>>
  readonly files: Readonly<Record<string, Uint8Array>>
}

const REFERENCE = /<(\w+)\.([\w.-]+)>/g

/** Puts the case's region, files and earlier answers into its data. */
function filled(value: unknown, filling: Filling): unknown {
  if (typeof value === 'string') {
    const file = filling.files[value]
    if (file) return file
    return value
      .replaceAll(WRITTEN, filling.region)
      .replaceAll(REFERENCE, (_all, label: string, path: string) => {
        const found = memberAt(filling.known[label], path)
        if (found === undefined) throw new Error(`No step answered '${label}.${path}'`)
        return String(found)
      })
  }
  if (value instanceof Uint8Array || value instanceof Date) return value
  if (Array.isArray(value)) return value.map((item) => filled(item, filling))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [filled(key, filling), filled(item, filling)]),
  )
}
