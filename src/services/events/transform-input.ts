/**
 * What a target gets of an event: all of it, a part, a fixed text, or a template with parts filled in. Pure.
 * Source: "Input transformation" of the user guide; what is recorded from AWS says so.
 */
import type { Target } from '@aws-sdk/client-eventbridge'

import { valueAt } from './json-path.ts'

export interface TransformContext {
  readonly ruleArn: string
  readonly ruleName: string
  /** Wall-clock milliseconds at which the event came in. */
  readonly ingestedAt: number
}

/** `text` is the event. */
export function transformInput(
  { Input, InputPath, InputTransformer }: Pick<Target, 'Input' | 'InputPath' | 'InputTransformer'>,
  text: string,
  context: TransformContext,
): string {
  if (Input !== undefined) return Input
  if (InputPath !== undefined)
    return InputPath === '$' ? text : JSON.stringify(valueAt(parsed(text), InputPath) ?? null)
  if (InputTransformer?.InputTemplate === undefined) return text
  const event = parsed(text)
  const paths = Object.entries(InputTransformer.InputPathsMap ?? {})
  const values = new Map<string, unknown>(paths.map(([name, path]) => [name, valueAt(event, path)]))
  return fill(InputTransformer.InputTemplate, (name) => {
    switch (name) {
      case 'aws.events.rule-arn':
        return context.ruleArn
      case 'aws.events.rule-name':
        return context.ruleName
      case 'aws.events.event.ingestion-time':
        return new Date(context.ingestedAt).toISOString()
      case 'aws.events.event.json':
        return { json: text }
      case 'aws.events.event':
        return { json: withoutDetail(text) }
      default:
        return values.has(name) ? values.get(name) : UNKNOWN
    }
  })
}

const parsed = (text: string) => JSON.parse(text) as unknown

/** The detail is always last. */
function withoutDetail(text: string): string {
  const { detail: _detail, ...rest } = parsed(text) as Record<string, unknown>
  return JSON.stringify(rest)
}

const UNKNOWN = Symbol('no such variable')
/** JSON that goes in as it is, quotes and all. */
interface Verbatim {
  readonly json: string
}
const isVerbatim = (value: unknown): value is Verbatim =>
  value !== null &&
  typeof value === 'object' &&
  typeof (value as Verbatim).json === 'string' &&
  Object.keys(value).length === 1

/**
 * A variable outside of quotes stands for a JSON value. Within quotes it stands for its text; objects and lists then lose
 * their quotes, so that they can't end the text that they are in. What the event does not have is nothing within quotes
 * (recorded), and an empty text outside of them (unverified). What is no variable stays.
 */
function fill(template: string, valueOf: (name: string) => unknown): string {
  let out = ''
  let isQuoted = false
  for (let at = 0; at < template.length; at++) {
    const character = template.charAt(at)
    if (character === '\\') {
      out += character + template.charAt(++at)
      continue
    }
    if (character === '"') isQuoted = !isQuoted
    const name = character === '<' ? /^<([\w.-]+)>/.exec(template.slice(at, at + 260))?.[1] : undefined
    const value = name === undefined ? UNKNOWN : valueOf(name)
    if (name === undefined || value === UNKNOWN) {
      out += character
      continue
    }
    out += isQuoted ? quotedText(value) : bareText(value)
    at += name.length + 1
  }
  return out
}

function quotedText(value: unknown): string {
  if (value === undefined) return ''
  if (isVerbatim(value)) return value.json
  if (typeof value === 'string') return JSON.stringify(value).slice(1, -1)
  const json = JSON.stringify(value)
  return typeof value === 'object' ? json.replaceAll(/\\?"/g, '') : json
}

function bareText(value: unknown): string {
  if (value === undefined) return '""'
  return isVerbatim(value) ? value.json : JSON.stringify(value)
}
