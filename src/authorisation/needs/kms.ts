/** Actions and resources of KMS. An alias is named as it was asked for: which key it stands for is not looked up. Pure. */
import { kmsModel } from '#wire/models/kms.ts'

import {
  accountOf,
  keysOf,
  members,
  tagKeys,
  text,
  type Members,
  type NeedsOf,
  type ServiceNeeds,
} from './need.ts'

const NO_RESOURCE = new Set(['CreateKey', 'ListKeys', 'ListAliases', 'GenerateRandom'])

/** `kms:EncryptionContext:name` for each pair, and the names. */
function encryptionContext(input: Members): Readonly<Record<string, readonly string[]>> {
  const pairs = Object.entries(members(input['EncryptionContext'])).filter(
    (pair): pair is [string, string] => typeof pair[1] === 'string',
  )
  return {
    ...Object.fromEntries(
      pairs.map(([name, value]) => [`kms:encryptioncontext:${name.toLowerCase()}`, [value]] as const),
    ),
    ...keysOf({ 'kms:encryptioncontextkeys': pairs.map(([name]) => name) }),
  }
}

const tagsOf = (input: Members) => {
  const tags = Array.isArray(input['Tags']) ? input['Tags'].map(members) : []
  return tagKeys(Object.fromEntries(tags.map(({ TagKey, TagValue }) => [String(TagKey), TagValue] as const)))
}

const onKey =
  (operation: string): NeedsOf =>
  (input, { account, region }) => {
    const arnOf = (name: string | undefined) =>
      name === undefined
        ? '*'
        : name.startsWith('arn:')
          ? name
          : `arn:aws:kms:${region}:${account}:${name.startsWith('alias/') ? name : `key/${name}`}`
    const need = (action: string, resource: string) => ({
      action: `kms:${action}`,
      resource,
      account: accountOf(resource) ?? account,
      keys: { ...encryptionContext(input), ...tagsOf(input), ...keysOf({ 'kms:requestalias': alias }) },
    })
    const key = text(input['KeyId']) ?? text(input['TargetKeyId'])
    const alias = key?.startsWith('alias/') ? key : undefined
    if (operation === 'ReEncrypt') {
      return [
        need('ReEncryptFrom', arnOf(text(input['SourceKeyId']))),
        need('ReEncryptTo', arnOf(text(input['DestinationKeyId']))),
      ]
    }
    if (NO_RESOURCE.has(operation)) return [need(operation, '*')]
    const aliasName = text(input['AliasName'])
    // An alias and the key behind it are two resources; both must be allowed.
    if (aliasName !== undefined) {
      return [need(operation, arnOf(aliasName)), ...(key === undefined ? [] : [need(operation, arnOf(key))])]
    }
    return [need(operation, arnOf(key))]
  }

export const kmsNeeds: ServiceNeeds = Object.fromEntries(
  Object.keys(kmsModel.operations).map((operation) => [operation, onKey(operation)]),
)
