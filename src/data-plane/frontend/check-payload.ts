import { isUtf8 } from 'node:buffer'
import { setImmediate as nextTurn } from 'node:timers/promises'

import { LambdaError } from '#contracts/errors.ts'
import { firstBrokenByte, JsonFault, locationOf } from '#data-plane/frontend/json-faults.ts'
import { continueScan, createJsonScan, finishScan, type JsonScan } from '#data-plane/frontend/json-scan.ts'
import { KIB } from '#kernel/units.ts'

/** Bytes that are checked in one go: about a millisecond. */
const SLICE_BYTES = 256 * KIB

/** The 400 of a payload that is no JSON. */
const refusal = (bytes: Uint8Array, fault: JsonFault) =>
  new LambdaError(
    'InvalidRequestContentException',
    `Could not parse request body into json: Could not parse payload into json: ${fault.message}\n at ${locationOf(bytes, fault.at)}`,
    { status: 400 },
  )

/** Runs `step`; a fault in the text becomes what the client is told. */
function guarded(bytes: Uint8Array, step: () => void): void {
  try {
    step()
  } catch (error) {
    throw error instanceof JsonFault ? refusal(bytes, error) : error
  }
}

async function continueInSlices(scan: JsonScan): Promise<void> {
  const { bytes } = scan
  while (scan.at < bytes.length) {
    await nextTurn()
    guarded(bytes, () => continueScan(scan, Math.min(bytes.length, scan.at + SLICE_BYTES), bytes.length))
  }
  guarded(bytes, () => finishScan(scan))
}

/**
 * Refuses a payload that is not one JSON value. Nothing is built from it, and a large one is checked in slices between
 * which others get their turn: only then is there a promise to wait for. An empty payload is not for this function.
 */
export function checkPayload(bytes: Uint8Array): undefined | Promise<void> {
  const scan = createJsonScan(bytes)
  if (!isUtf8(bytes)) {
    const broken = firstBrokenByte(bytes)
    // Whatever is wrong before the broken byte is reported first.
    guarded(bytes, () => {
      try {
        continueScan(scan, broken.at, broken.at)
      } catch (error) {
        throw error instanceof JsonFault && error.at < broken.at ? error : broken
      }
      throw broken
    })
  }
  if (bytes.length > SLICE_BYTES) return continueInSlices(scan)
  guarded(bytes, () => {
    continueScan(scan, bytes.length, bytes.length)
    finishScan(scan)
  })
  return undefined
}
