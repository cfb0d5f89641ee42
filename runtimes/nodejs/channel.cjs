'use strict'
/**
 * Frames on file descriptor 3 (docs/runtimes.md). Reading is asynchronous, so that the function's own work goes on while
 * the runtime waits; writing is synchronous, so that nothing is lost when the process exits right after it.
 */
const { writeSync } = require('fs')
const { Socket } = require('net')

const CONTROL_FD = 3
const PREFIX_BYTES = 9
/** Frames that fit here are put together in one buffer which is used again and again. */
const SCRATCH_BYTES = 65536

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

function writeAll(buffer, end) {
  let at = 0
  while (at < end) {
    try {
      at += writeSync(CONTROL_FD, buffer, at, end - at)
    } catch (error) {
      if (error.code === 'EAGAIN') Atomics.wait(pause, 0, 0, 1)
      // The host is gone: there is nobody left to work for.
      else if (error.code === 'EPIPE' || error.code === 'ECONNRESET') process.exit(1)
      else throw error
    }
  }
}

/** Sends one frame and returns when the socket has taken it. `header` is JSON text or '', `payload` text or bytes. */
function send(type, header, payload) {
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
    writeAll(scratch, end)
    return
  }
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload
  const headerBytes = Buffer.byteLength(header)
  const head = Buffer.allocUnsafe(PREFIX_BYTES + headerBytes)
  head.write(header, PREFIX_BYTES)
  writePrefix(head, type, headerBytes, body.byteLength)
  writeAll(head, head.length)
  writeAll(body, body.byteLength)
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

module.exports = { FRAME, send, listen }
