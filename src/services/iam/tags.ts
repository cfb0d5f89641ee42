/** Tags of users, roles and policies. */
import type { Tag } from '@aws-sdk/client-iam'

import type { IamTag } from '#contracts/iam.ts'

import { invalidInput, limitExceeded } from './iam-errors.ts'

const MAX_TAGS = 50

/** Keys of users and roles are told apart without their case, those of policies with it (recorded from AWS). */
export type TagCase = 'insensitive' | 'sensitive'

const folded = (key: string, tagCase: TagCase) => (tagCase === 'insensitive' ? key.toLowerCase() : key)

/** The tags of a request. Throws InvalidInput when a key comes twice. */
export function tagsOf(tags: readonly Tag[] | undefined, tagCase: TagCase): readonly IamTag[] {
  const given = (tags ?? []).map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }))
  if (new Set(given.map(({ key }) => folded(key, tagCase))).size < given.length) {
    throw invalidInput(
      tagCase === 'insensitive'
        ? 'Duplicate tag keys found. Please note that Tag keys are case insensitive.'
        : 'Duplicate tag keys found.',
    )
  }
  return given
}

/** `before` with `added` in it. Throws LimitExceeded (text unverified). */
export function withTags(
  before: readonly IamTag[],
  added: readonly IamTag[],
  tagCase: TagCase,
): readonly IamTag[] {
  const names = new Set(added.map(({ key }) => folded(key, tagCase)))
  const after = [...before.filter(({ key }) => !names.has(folded(key, tagCase))), ...added]
  if (after.length > MAX_TAGS) {
    throw limitExceeded('The number of tags has reached the maximum limit.')
  }
  return after
}

export function withoutTags(
  before: readonly IamTag[],
  keys: readonly string[] | undefined,
  tagCase: TagCase,
): readonly IamTag[] {
  const names = new Set((keys ?? []).map((key) => folded(key, tagCase)))
  return before.filter(({ key }) => !names.has(folded(key, tagCase)))
}

/** In the order of their keys, as AWS lists them (recorded). */
export const tagList = (tags: readonly IamTag[]) =>
  tags
    .toSorted((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)))
    .map(({ key, value }) => ({ Key: key, Value: value }))

/** As created: in the order of the request. */
export const tagView = (tags: readonly IamTag[]) => tags.map(({ key, value }) => ({ Key: key, Value: value }))
