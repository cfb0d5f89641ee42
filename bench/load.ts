/**
 * A load generator of its own process: keeps N requests in flight over N keep-alive connections for a time, and prints
 * what it saw as one JSON line. Raw sockets, because an HTTP client costs more CPU than the server under test.
 * Arguments: URL, body, requests in flight, milliseconds, and extra headers as JSON.
 */
import { connect } from 'node:net'

const [target = '', body = '{}', inFlightText = '1', durationText = '2000', headersText = '{}'] =
  process.argv.slice(2)
const url = new URL(target)
const inFlight = Number(inFlightText)
const durationMs = Number(durationText)
const headers = Object.entries(JSON.parse(headersText) as Record<string, string>)
const request = Buffer.from(
  [
    `POST ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    `Content-Type: application/json`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n'),
)

const latencies: number[] = []
let failures = 0
let firstFailure = ''
const started = performance.now()
const until = started + durationMs

/** Length of the first whole answer in `bytes`, or undefined while it is incomplete. */
function answerLength(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = bytes.toString('latin1', 0, headEnd).toLowerCase()
  const length = /\r\ncontent-length: (\d+)/.exec(head)?.[1]
  if (length !== undefined) {
    const total = headEnd + 4 + Number(length)
    return bytes.length >= total ? total : undefined
  }
  if (!head.includes('transfer-encoding: chunked')) return headEnd + 4
  const end = bytes.indexOf('\r\n0\r\n\r\n', headEnd)
  return end < 0 ? undefined : end + 7
}

const one = () =>
  new Promise<void>((resolve) => {
    const socket = connect(Number(url.port), url.hostname)
    socket.setNoDelay(true)
    let buffered: Buffer = Buffer.alloc(0)
    let sentAt = 0
    const next = () => {
      if (performance.now() >= until) {
        socket.end()
        resolve()
        return
      }
      sentAt = performance.now()
      socket.write(request)
    }
    socket.on('connect', next)
    socket.on('data', (chunk: Buffer) => {
      buffered = buffered.length === 0 ? chunk : Buffer.concat([buffered, chunk])
      const length = answerLength(buffered)
      if (length === undefined) return
      latencies.push(performance.now() - sentAt)
      if (
        !buffered.toString('latin1', 0, 16).startsWith('HTTP/1.1 200') ||
        buffered.includes('errorMessage')
      ) {
        failures++
        firstFailure ||= buffered.toString('utf8', 0, 300)
      }
      buffered = buffered.subarray(length)
      next()
    })
    socket.on('error', () => {
      failures++
      resolve()
    })
    socket.on('close', () => resolve())
  })

await Promise.all(Array.from({ length: inFlight }, one))
const elapsedMs = performance.now() - started
const sorted = latencies.toSorted((a, b) => a - b)
const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
process.stdout.write(
  `${JSON.stringify({
    perSecond: (latencies.length / elapsedMs) * 1000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    requests: latencies.length,
    failures,
    firstFailure,
  })}\n`,
)
