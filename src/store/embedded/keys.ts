/** Order and checks of document keys: bytewise in UTF-8, as SQLite and PostgreSQL (collation "C") sort them. */

/** Longest key in UTF-16 units; PostgreSQL's index rows end at about 2,700 bytes. */
const MAX_KEY_LENGTH = 600

/** Throws a TypeError for keys that not every engine can hold: empty, too long, with NUL or half a surrogate pair. */
export function checkKey(key: string): void {
  if (key === '' || key.length > MAX_KEY_LENGTH || key.includes('\0') || !key.isWellFormed()) {
    throw new TypeError(
      `A document key has 1 to ${MAX_KEY_LENGTH} well-formed characters without NUL, not "${key.slice(0, 100)}"`,
    )
  }
}

const isSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff

/** Negative, zero or positive, as `a` sorts before, with or after `b` by their UTF-8 bytes. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at)
    const right = b.charCodeAt(at)
    if (left === right) continue
    // UTF-16 puts U+E000..U+FFFF after the surrogates, UTF-8 before the characters which those stand for.
    if (isSurrogate(left) !== isSurrogate(right)) {
      if (isSurrogate(left) && right > 0xdfff) return 1
      if (isSurrogate(right) && left > 0xdfff) return -1
    }
    return left - right
  }
  return a.length - b.length
}

/** The smallest text that sorts after every key with this prefix; undefined when there is none. */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0)
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue
    const next = last === 0xd7ff ? 0xe000 : last + 1
    return String.fromCodePoint(...points, next)
  }
  return undefined
}
