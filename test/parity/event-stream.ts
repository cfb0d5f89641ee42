/** Takes an event stream apart, down to its frames: the SDK would hide how the events were cut and named. */

/** The type of each event and its payload as text. */
export function eventsIn(bytes: Buffer): { readonly event: string; readonly payload: string }[] {
  const events = []
  for (let at = 0; at < bytes.byteLength;) {
    const length = bytes.readUInt32BE(at)
    const headersEnd = at + 12 + bytes.readUInt32BE(at + 4)
    events.push({
      event: headersOf(bytes.subarray(at + 12, headersEnd))[':event-type'] ?? '',
      payload: bytes.subarray(headersEnd, at + length - 4).toString(),
    })
    at += length
  }
  return events
}

/** All headers of AWS's events are texts: one byte name length, the name, the type 7, two bytes length, the text. */
function headersOf(bytes: Buffer): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let at = 0; at < bytes.byteLength;) {
    const nameEnd = at + 1 + bytes.readUInt8(at)
    const valueEnd = nameEnd + 3 + bytes.readUInt16BE(nameEnd + 1)
    headers[bytes.toString('utf8', at + 1, nameEnd)] = bytes.toString('utf8', nameEnd + 3, valueEnd)
    at = valueEnd
  }
  return headers
}
