'use strict'
/**
 * Frames on file descriptor 3 (docs/runtimes.md). Reading is asynchronous, so that the function's own work goes on while
 * the runtime waits; writing is synchronous, so that nothing is lost when the process exits right after it. Only pieces of
 * a streamed answer wait for the host without stopping the process, because the client that reads them may be slow.
 */
const { writeSync } = require('fs')
const { Socket } = require('net')
// Taken now: a function may replace the global one.
const { setTimeout } = require('timers')

const CONTROL_FD = 3
const PREFIX_BYTES = 9
/** Frames that fit here are put together in one buffer which is used again and again. */
const SCRATCH_BYTES = 65536
/** Longest wait before the host is tried again. */
const MAX_RETRY_MS = 16

const FRAME = {
  init: 0x01,
  invoke: 0x02,
  ready: 0x81,
  initDone: 0x82,
  initError: 0x83,
  response: 0x84,
  error: 0x85,
  streamStart: 0x86,
  streamChunk: 0x87,
  streamEnd: 0x88,
  log: 0x89,
}

const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)
const pause = new Int32Array(new SharedArrayBuffer(4))

/** The rest of a frame of which the socket has taken the beginning: nothing else may be written before it. */
let unsent

/** Writes what the socket takes now; returns where it stopped. */
function writeSome(buffer, start, end) {
  let at = start
  while (at < end) {
    try {
      at += writeSync(CONTROL_FD, buffer, at, end - at)
    } catch (error) {
      if (error.code === 'EAGAIN') return at
      // The host is gone: there is nobody left to work for.
      if (error.code === 'EPIPE' || error.code === 'ECONNRESET') process.exit(1)
      throw error
    }
  }
  return at
}

function writeAll(buffer, start, end) {
  for (let at = writeSome(buffer, start, end); at < end; at = writeSome(buffer, at, end)) {
    Atomics.wait(pause, 0, 0, 1)
  }
}

function finishUnsent() {
  const rest = unsent
  unsent = undefined
  if (rest) writeAll(rest, 0, rest.length)
}

/** False when the socket does not take all of the rest yet. */
function tryUnsent() {
  if (!unsent) return true
  const at = writeSome(unsent, 0, unsent.length)
  unsent = at === unsent.length ? undefined : unsent.subarray(at)
  return unsent === undefined
}

/**
 * Sends a piece of a streamed answer and calls `done` when the socket has taken it, at once if it does so at once.
 * Gives up, and calls `done`, when `isOver()`.
 */
function sendChunk(payload, isOver, done) {
  let from = 0
  let retryMs = 1
  const goOn = () => {
    if (isOver()) return done()
    while (tryUnsent()) {
      if (from === payload.byteLength) return done()
      const to = Math.min(payload.byteLength, from + SCRATCH_BYTES - PREFIX_BYTES)
      const end = PREFIX_BYTES + to - from
      writePrefix(scratch, FRAME.streamChunk, 0, to - from)
      scratch.set(payload.subarray(from, to), PREFIX_BYTES)
      const at = writeSome(scratch, 0, end)
      // A copy, because the scratch buffer is everybody's.
      if (at < end) unsent = Buffer.from(scratch.subarray(at, end))
      if (at > 0) retryMs = 1
      from = to
    }
    setTimeout(goOn, retryMs)
    retryMs = Math.min(MAX_RETRY_MS, retryMs * 2)
  }
  goOn()
}

/** Sends one frame and returns when the socket has taken it. `header` is JSON text or '', `payload` text or bytes. */
function send(type, header, payload) {
  finishUnsent()
  // Three bytes are the most that a UTF-16 unit becomes.
  const worstBytes =
    PREFIX_BYTES + header.length * 3 + (typeof payload === 'string' ? payload.length * 3 : payload.byteLength)
  if (worstBytes <= SCRATCH_BYTES) {
    const headerBytes = header === '' ? 0 : scratch.write(header, PREFIX_BYTES)
    let end = PREFIX_BYTES + headerBytes
    if (typeof payload === 'string') end += scratch.write(payload, end)
    else {
      scratch.set(payload, end)
      end += payload.byteLength
    }
    writePrefix(scratch, type, headerBytes, end - PREFIX_BYTES - headerBytes)
    writeAll(scratch, 0, end)
    return
  }
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload
  const headerBytes = Buffer.byteLength(header)
  const head = Buffer.allocUnsafe(PREFIX_BYTES + headerBytes)
  head.write(header, PREFIX_BYTES)
  writePrefix(head, type, headerBytes, body.byteLength)
  writeAll(head, 0, head.length)
  writeAll(body, 0, body.byteLength)
}

function writePrefix(buffer, type, headerBytes, payloadBytes) {
  buffer.writeUInt32BE(5 + headerBytes + payloadBytes, 0)
  buffer[4] = type
  buffer.writeUInt32BE(headerBytes, 5)
}

/**
 * Listens to the host. `onFrame(type, header, payload)` gets text and a buffer. Returns `ref` and `unref`: whether
 * waiting for the host keeps the process alive. The process ends when the host hangs up.
 */
function listen(onFrame) {
  const socket = new Socket({ fd: CONTROL_FD, readable: true, writable: true })
  let waiting = []
  let waitingBytes = 0
  let neededBytes = PREFIX_BYTES
  const takeFrames = () => {
    let bytes = waiting.length === 1 ? waiting[0] : Buffer.concat(waiting, waitingBytes)
    let at = 0
    for (;;) {
      const left = bytes.length - at
      neededBytes = left >= 4 ? 4 + bytes.readUInt32BE(at) : PREFIX_BYTES
      if (left < neededBytes) break
      const headerAt = at + PREFIX_BYTES
      const payloadAt = headerAt + bytes.readUInt32BE(at + 5)
      const end = at + neededBytes
      onFrame(bytes[at + 4], bytes.toString('utf8', headerAt, payloadAt), bytes.subarray(payloadAt, end))
      at = end
    }
    bytes = bytes.subarray(at)
    waiting = bytes.length === 0 ? [] : [bytes]
    waitingBytes = bytes.length
  }
  socket.on('data', (chunk) => {
    waiting.push(chunk)
    waitingBytes += chunk.length
    if (waitingBytes >= neededBytes) takeFrames()
  })
  socket.on('end', () => process.exit(0))
  socket.on('error', () => process.exit(1))
  return { ref: () => socket.ref(), unref: () => socket.unref() }
}

module.exports = { FRAME, send, sendChunk, listen }
