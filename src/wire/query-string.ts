/** Query strings, read once and without objects for what nobody asks. */
import { serializationFailed } from '#wire/serialization.ts'

/** Percent-decoding that never throws anything but SerializationException. */
export function decodeComponent(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw serializationFailed('Malformed percent-encoding in the request URI')
  }
}

const decodeQuery = (text: string) => decodeComponent(text.includes('+') ? text.replaceAll('+', ' ') : text)

/** All pairs in order. A name without `=` has an empty value. */
export function parseQuery(query: string): readonly (readonly [name: string, value: string])[] {
  if (query === '') return []
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      if (equals === -1) return [decodeQuery(pair), ''] as const
      return [decodeQuery(pair.slice(0, equals)), decodeQuery(pair.slice(equals + 1))] as const
    })
}
