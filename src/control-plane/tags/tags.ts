/** A function's tags: limits and changes. Pure. */
import { invalidParameter } from '#contracts/errors.ts'

export type Tags = Readonly<Record<string, string>>

const MAX_TAGS = 50
const MAX_KEY_LENGTH = 128
const MAX_VALUE_LENGTH = 256

/** Refuses `added` when it is empty of meaning, or when it would not fit beside `existing`. */
export function assertTags(existing: Tags, added: Tags): void {
  for (const [key, value] of Object.entries(added)) {
    if (key.length === 0 || key.length > MAX_KEY_LENGTH || value.length > MAX_VALUE_LENGTH) {
      // Text unverified.
      throw invalidParameter(
        `Tag keys must have 1 to ${MAX_KEY_LENGTH} characters and tag values at most ${MAX_VALUE_LENGTH}.`,
      )
    }
    if (key.toLowerCase().startsWith('aws:')) {
      // Text unverified.
      throw invalidParameter('aws: prefixed tag key names are not allowed for external use.')
    }
  }
  if (Object.keys({ ...existing, ...added }).length > MAX_TAGS) {
    throw invalidParameter('Number of tags exceeds resource tag limit.')
  }
}

export const withTags = (existing: Tags, added: Tags): Tags => ({ ...existing, ...added })

/** Keys that are not there are no error (recorded from AWS). */
export const withoutTags = (existing: Tags, keys: readonly string[]): Tags =>
  Object.fromEntries(Object.entries(existing).filter(([key]) => !keys.includes(key)))
