/**
 * Actions and resources of KMS. An alias is named as it was asked for; whose key's policy applies is looked up later. Pure.
 */
import { kmsKeyIdOf } from '#contracts/kms.ts'
import { kmsModel } from '#wire/models/kms.ts'

import {
  accountOf,
  keysOf,
  members,
  tagKeys,
  text,
  type Members,
  type Need,
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

const KEY = /^arn:[^:]+:kms:([^:]+):(\d{12}):(?:key\/(.+)|(alias\/.+))$/

/** Whose policy decides over an ARN of a key or alias; undefined when it is neither. */
export function keyPolicy(arn: string): Need['policy'] {
  const [, region, account, id, alias] = KEY.exec(arn) ?? []
  const name = id ?? alias
  return region === undefined || account === undefined || name === undefined
    ? undefined
    : { kind: 'kms-key', account, region, name }
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
    const need = (action: string, resource: string): Need => {
      const policy = keyPolicy(resource)
      return {
        action: `kms:${action}`,
        resource,
        account: accountOf(resource) ?? account,
        keys: {
          ...encryptionContext(input),
          ...tagsOf(input),
          ...keysOf({ 'kms:requestalias': alias, 'kms:calleraccount': account }),
        },
        // Who may name an alias is for the caller's own policies to say: only keys have policies.
        ...(policy && !aboutAlias.has(resource) && { policy }),
      }
    }
    const key = text(input['KeyId']) ?? text(input['TargetKeyId'])
    const alias = key?.startsWith('alias/') ? key : undefined
    const aliasName = text(input['AliasName'])
    const aboutAlias = new Set(aliasName === undefined ? [] : [arnOf(aliasName)])
    /** A ciphertext names the key it was made with. */
    const sealedWith = () =>
      input['CiphertextBlob'] instanceof Uint8Array ? kmsKeyIdOf(input['CiphertextBlob']) : undefined
    if (operation === 'ReEncrypt') {
      return [
        need('ReEncryptFrom', arnOf(text(input['SourceKeyId']) ?? sealedWith())),
        need('ReEncryptTo', arnOf(text(input['DestinationKeyId']))),
      ]
    }
    if (NO_RESOURCE.has(operation)) return [need(operation, '*')]
    // An alias and the key behind it are two resources; both must be allowed.
    if (aliasName !== undefined) {
      return [need(operation, arnOf(aliasName)), ...(key === undefined ? [] : [need(operation, arnOf(key))])]
    }
    return [need(operation, arnOf(key ?? (operation === 'Decrypt' ? sealedWith() : undefined)))]
  }

export const kmsNeeds: ServiceNeeds = Object.fromEntries(
  Object.keys(kmsModel.operations).map((operation) => [operation, onKey(operation)]),
)
