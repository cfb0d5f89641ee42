/** Whether a message passes a subscription's filter policy. Pure. */
import { matchesPattern } from '#contracts/event-pattern/match-pattern.ts'
import type { EventPattern } from '#contracts/event-pattern/pattern.ts'
import { setOwn } from '#wire/json-body.ts'

import type { MessageAttributes } from '../message-attributes.ts'
import type { FilterScope } from './parse-filter-policy.ts'

/** What filters look at. Both are read at most once, however many subscriptions a topic has. */
export interface Filterable {
  readonly body: () => unknown
  readonly attributes: () => unknown
}

/** `body` is the message for the subscription's protocol. */
export function filterable(body: string, attributes: MessageAttributes): Filterable {
  return { body: once(() => bodyOf(body)), attributes: once(() => attributesOf(attributes)) }
}

export const matchesFilter = (pattern: EventPattern, scope: FilterScope, message: Filterable): boolean =>
  matchesPattern(pattern, scope === 'MessageBody' ? message.body() : message.attributes())

/** A body that is no JSON object passes no policy. */
function bodyOf(text: string): unknown {
  const json = parsed(text)
  return json === null || typeof json !== 'object' || Array.isArray(json) ? undefined : json
}

/** Attributes of the types String, String.Array and Number; policies do not see others (SNS's guide). */
function attributesOf(attributes: MessageAttributes): unknown {
  const out: Record<string, unknown> = {}
  for (const [name, { type, value }] of Object.entries(attributes)) {
    if (type === 'String') setOwn(out, name, value)
    else if (type === 'Number') setOwn(out, name, Number(value))
    else if (type === 'String.Array') setOwn(out, name, parsed(value))
  }
  return out
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => (made ??= { value: make() }).value
}
