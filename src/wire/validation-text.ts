/** Values as AWS prints them in ValidationException texts: Java's toString. */

/** A client may send megabytes; the text that quotes them stays readable. AWS's own limit is unverified. */
const MAX_CHARACTERS = 4096

export function printValue(value: unknown): string {
  const text = print(value, MAX_CHARACTERS)
  return text.length > MAX_CHARACTERS ? text.slice(0, MAX_CHARACTERS) : text
}

/** Stops soon after `budget` characters, so that a huge list costs no more than a small one. */
function print(value: unknown, budget: number): string {
  if (value instanceof Uint8Array) {
    // The form of a heap buffer, as other services print it; for Lambda unverified.
    const { byteLength } = value
    return `java.nio.HeapByteBuffer[pos=0 lim=${byteLength} cap=${byteLength}]`
  }
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return `[${joined(value, budget, (item) => print(item, budget))}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
    return `{${joined(entries, budget, ([key, item]) => `${key}=${print(item, budget)}`)}}`
  }
  return String(value)
}

function joined<T>(items: readonly T[], budget: number, text: (item: T) => string): string {
  let out = ''
  for (const item of items) {
    if (out.length > budget) break
    out += out === '' ? text(item) : `, ${text(item)}`
  }
  return out
}
