/** What an operation needs to be allowed. Pure. */
import type { FunctionId, Scope } from '#contracts/arn.ts'

/** Where the policy of a resource is kept. */
export type PolicyPlace =
  | { readonly kind: 'function'; readonly id: FunctionId; readonly qualifier: string | undefined }
  | {
      readonly kind: 'layer'
      readonly account: string
      readonly region: string
      readonly name: string
      readonly version: number
    }
  /** `roleArn`: only of a role that has this very ARN, path and all. */
  | {
      readonly kind: 'trust'
      readonly account: string
      readonly roleName: string
      readonly roleArn?: string
    }
  /** `name` is the key's id, or an alias with its prefix. */
  | { readonly kind: 'kms-key'; readonly account: string; readonly region: string; readonly name: string }
  | { readonly kind: 'sqs-queue'; readonly account: string; readonly region: string; readonly name: string }
  | {
      readonly kind: 'ecr-repository'
      readonly account: string
      readonly region: string
      readonly name: string
    }
  | { readonly kind: 'event-bus'; readonly account: string; readonly region: string; readonly name: string }
  | { readonly kind: 'sns-topic'; readonly account: string; readonly region: string; readonly name: string }

export interface Need {
  /** `lambda:InvokeFunction`. */
  readonly action: string
  /** An ARN, or `*`. */
  readonly resource: string
  /** Whose the resource is. */
  readonly account: string
  /** Condition keys of the request, in lower case. */
  readonly keys?: Readonly<Record<string, readonly string[]>>
  /** Undefined: such a resource has no policy. */
  readonly policy?: PolicyPlace
  /** The function whose tags are the resource's. */
  readonly tagged?: FunctionId
  /** The event source mapping whose tags and function are the resource's. */
  readonly mapping?: Scope & { readonly uuid: string }
}

/** Who asks, as far as names are filled in with it. */
export interface Asking {
  readonly account: string
  readonly region: string
  readonly arn: string
}

export type Members = Readonly<Record<string, unknown>>
/** All of them must be allowed, and the first that is not is spoken of. */
export type NeedsOf = (input: Members, asking: Asking) => readonly Need[]
export type ServiceNeeds = Readonly<Record<string, NeedsOf>>

export const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

export const list = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []

const isObject = (value: unknown): value is Members =>
  value !== null && typeof value === 'object' && !Array.isArray(value)
export const members = (value: unknown): Members => (isObject(value) ? value : {})

/** Only the keys that have a value. */
export function keysOf(
  given: Readonly<Record<string, string | readonly string[] | undefined>>,
): Readonly<Record<string, readonly string[]>> {
  const keys: Record<string, readonly string[]> = {}
  for (const [name, value] of Object.entries(given)) {
    const values = typeof value === 'string' ? [value] : value
    if (values && values.length > 0) keys[name] = values
  }
  return keys
}

/** Keys about the tags of a request: a map from key to value. */
export function tagKeys(tags: unknown): Readonly<Record<string, readonly string[]>> {
  const entries = Object.entries(members(tags)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  if (entries.length === 0) return {}
  return {
    ...Object.fromEntries(
      entries.map(([name, value]) => [`aws:requesttag/${name.toLowerCase()}`, [value]] as const),
    ),
    'aws:tagkeys': entries.map(([name]) => name),
  }
}

/** Account of an ARN; undefined when the text is none, or names no account. */
export const accountOf = (arn: string): string | undefined =>
  /^arn:[^:]+:[^:]+:[^:]*:(\d{12}):/.exec(arn)?.[1]

/** About no resource, or about everything. */
export const everything =
  (action: string): NeedsOf =>
  (_input, { account }) => [{ action, resource: '*', account }]

/** About the ARN that a member of the input holds. */
export const byArn =
  (action: string, member: string): NeedsOf =>
  (input, { account }) => {
    const resource = text(input[member]) ?? '*'
    return [{ action, resource, account: accountOf(resource) ?? account }]
  }
