/** Attributes of messages: checked as SNS checks them (texts recorded from AWS), and kept in one form. */
import type { MessageAttributeValue } from '@aws-sdk/client-sns'

import { setOwn } from '#wire/json-body.ts'

import { invalidValue } from './sns-errors.ts'

export interface MessageAttribute {
  /** `String`, `String.Array`, `Number`, `Binary`, or one of them with a label after a dot. */
  readonly type: string
  /** Binary values in base64. */
  readonly value: string
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>

const MAX_NAME_BYTES = 256
const TYPE = /^(String|Number|Binary)(?:\..+)?$/s
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

export const isBinary = ({ type }: MessageAttribute) => type.startsWith('Binary')

export function readAttributes(
  given: Readonly<Record<string, MessageAttributeValue>> | undefined,
): MessageAttributes {
  const attributes: Record<string, MessageAttribute> = {}
  for (const [name, value] of Object.entries(given ?? {})) {
    checkName(name)
    setOwn(attributes, name, readValue(name, value))
  }
  return attributes
}

/** Bytes that count towards a message's size: names, types and values. */
export function sizeOfAttributes(attributes: MessageAttributes): number {
  let bytes = 0
  for (const [name, attribute] of Object.entries(attributes)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(attribute.type)
    bytes += Buffer.byteLength(attribute.value, isBinary(attribute) ? 'base64' : 'utf8')
  }
  return bytes
}

function checkName(name: string): void {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw invalidValue('Length of message attribute name must be less than 256 bytes.')
  const strange = /[^A-Za-z0-9_.-]/u.exec(name)?.[0]
  if (strange !== undefined) {
    throw invalidValue(
      `Invalid non-alphanumeric character '#x${strange.codePointAt(0)?.toString(16).toUpperCase()}' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.`,
    )
  }
  if (name.startsWith('.'))
    throw invalidValue("Invalid message attribute name starting with character '.' was found.")
  if (name.endsWith('.'))
    throw invalidValue("Invalid message attribute name ending with character '.' was found.")
  if (name.includes('..')) throw invalidValue("Message attribute name can not have successive '.' character.")
}

function readValue(name: string, { DataType: type = '', StringValue, BinaryValue }: MessageAttributeValue) {
  const kind = TYPE.exec(type)?.[1]
  if (kind === undefined) {
    throw invalidValue(
      `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    )
  }
  const field = kind === 'Binary' ? 'Binary' : 'String'
  const [right, wrong] = kind === 'Binary' ? [BinaryValue, StringValue] : [StringValue, BinaryValue]
  if (right === undefined && wrong !== undefined) {
    throw invalidValue(`The message attribute '${name}' with type '${type}' must use field '${field}'.`)
  }
  if (right === undefined || right.length === 0) {
    throw invalidValue(
      `The message attribute '${name}' must contain non-empty message attribute value for message attribute type '${type}'.`,
    )
  }
  const value = typeof right === 'string' ? right : Buffer.from(right).toString('base64')
  // Text as clients report it.
  if (kind === 'Number' && !NUMBER.test(value))
    throw invalidValue(`Could not cast message attribute '${name}' value to number.`)
  return { type, value }
}
