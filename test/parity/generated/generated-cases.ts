/**
 * The generated part of the parity table: every built operation, every member of its input, wrong in every way that the
 * API model knows. None of these requests may change anything.
 */
import { memberPlace, memberShape, type BoundMember, type ServiceModel } from '#wire/model.ts'

import { MODEL, refused, unverified, validation, type Expectation, type Source } from '../parity-case.ts'
import { brokenValues, wrongKinds } from './broken-values.ts'
import { LONGEST_QUOTE, missing, sentencesOf, validationText } from './constraint-texts.ts'
import { httpCases } from './http-cases.ts'
import { requestOf, type RawRequest } from './raw-request.ts'
import { shapeOf, validStructure, validValue } from './valid-values.ts'

export interface GeneratedCase {
  readonly operation: string
  readonly name: string
  readonly request: RawRequest
  readonly expect: Expectation
  readonly source: Source
}

const WORDS = unverified("the words of AWS's framework in other services")
const CUT = unverified('where AWS cuts a value that it quotes')

/** A header or a label can't hold everything; a longer head is refused before the API sees it. */
const LONGEST_HEAD = 8000

type Place = BoundMember['in'] | 'body'

/** A member somewhere in the input: how the error text names it, and the input with another value there. */
interface Spot {
  readonly path: string
  readonly shape: string
  readonly place: Place
  readonly required: boolean
  readonly put: (value: unknown) => Record<string, unknown>
  readonly without: () => Record<string, unknown>
}

const lower = (name: string) => `${name[0]?.toLowerCase() ?? ''}${name.slice(1)}`

export function generatedCases(model: ServiceModel, operations: readonly string[]): GeneratedCase[] {
  return operations.flatMap((operation) => [...memberCases(model, operation), ...httpCases(model, operation)])
}

function memberCases(model: ServiceModel, operation: string): GeneratedCase[] {
  const input = model.operations[operation]?.input
  if (input === undefined) return []
  const spots = spotsOf(model, input)
  return [
    ...requiredCases(model, operation, input, spots),
    ...spots.flatMap((spot) => [
      ...constraintCases(model, operation, spot),
      ...kindCases(model, operation, spot),
      ...textCases(model, operation, spot),
    ]),
    ...unknownMemberCase(model, operation, spots),
  ]
}

const made = (
  operation: string,
  name: string,
  request: RawRequest,
  expect: Expectation,
  source: Source = MODEL,
): GeneratedCase => ({ operation, name, request, expect, source })

/** Each required member missing, and all of them at once. */
function requiredCases(
  model: ServiceModel,
  operation: string,
  input: string,
  spots: readonly Spot[],
): GeneratedCase[] {
  const required = spots.filter((spot) => spot.required && spot.place !== 'label')
  const each = required.map((spot) =>
    made(
      operation,
      `${spot.path}: missing`,
      requestOf(model, operation, spot.without()),
      validation(validationText([missing(spot.path)])),
    ),
  )
  const shape = shapeOf(model, input)
  if (shape.type !== 'structure') return each
  const labels = Object.entries(validStructure(model, input)).filter(
    ([name]) => placeOf(shape.members[name]) === 'label',
  )
  const top = Object.keys(shape.members).filter(
    (name) => (shape.required ?? []).includes(name) && placeOf(shape.members[name]) !== 'label',
  )
  if (top.length < 2) return each
  return [
    ...each,
    made(
      operation,
      'everything that is required missing',
      requestOf(model, operation, Object.fromEntries(labels)),
      validation(validationText(top.map((name) => missing(lower(name))))),
    ),
  ]
}

/** Each constraint broken by one. */
function constraintCases(model: ServiceModel, operation: string, spot: Spot): GeneratedCase[] {
  return brokenValues(model, spot.shape).flatMap(({ how, value }) => {
    if (!canTravel(spot.place, value) || isTooMuchToMatch(model, spot, value)) return []
    const sentences = sentencesOf(model, spot.shape, value, spot.path)
    if (sentences.length === 0) throw new Error(`${operation} ${spot.path}: ${how} breaks nothing`)
    return made(
      operation,
      `${spot.path}: ${how}`,
      requestOf(model, operation, spot.put(value)),
      validation(validationText(sentences)),
      JSON.stringify(value).length > LONGEST_QUOTE ? CUT : MODEL,
    )
  })
}

/** The program tries no pattern on a text that is this much too long: a client could choose one that takes for ever. */
const LONGEST_MATCH = 2048

function isTooMuchToMatch(model: ServiceModel, { shape: name, path }: Spot, value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value.length > LONGEST_MATCH &&
    sentencesOf(model, name, value, path).length > 1
  )
}

/** Empty text in a path is another path; nulls have no text; heads are short and hold no line breaks. */
function canTravel(place: Place, value: unknown): boolean {
  if (place === 'body' || place === 'payload') return true
  const texts = Array.isArray(value) ? value : [value]
  return texts.length > 0 && texts.every((text) => travelsInHead(place, text))
}

function travelsInHead(place: Place, text: unknown): boolean {
  if (text === null || typeof text === 'object') return false
  const written = String(text)
  if (written.length > LONGEST_HEAD) return false
  if (place === 'label') return written !== ''
  return place === 'query' || (/^[\x21-\x7e]+$/.test(written) && written.trim() === written)
}

const serialisation = (Message: string) => refused(400, 'SerializationException', { Message })

/** Another kind of JSON than the member's. */
function kindCases(model: ServiceModel, operation: string, spot: Spot): GeneratedCase[] {
  if (spot.place !== 'body') return []
  return wrongKinds(shapeOf(model, spot.shape)).map(({ value, text }) =>
    made(
      operation,
      `${spot.path}: ${JSON.stringify(value)} of another kind`,
      requestOf(model, operation, spot.put(value)),
      serialisation(text),
      WORDS,
    ),
  )
}

/** Text that is no number and no boolean where one travels outside the body. */
function textCases(model: ServiceModel, operation: string, spot: Spot): GeneratedCase[] {
  if (spot.place === 'body' || spot.place === 'payload') return []
  const { type } = shapeOf(model, spot.shape)
  const wanted = { integer: 'an Integer', long: 'a Long', double: 'a Double', boolean: 'a Boolean' }[
    type as 'integer'
  ]
  if (wanted === undefined) return []
  return [
    made(
      operation,
      `${spot.path}: text of another kind`,
      requestOf(model, operation, spot.put('nothing')),
      serialisation(`STRING_VALUE can not be converted to ${wanted}`),
      WORDS,
    ),
  ]
}

/** Members that the model does not know are passed over: the answer is about the one that is wrong. */
function unknownMemberCase(model: ServiceModel, operation: string, spots: readonly Spot[]): GeneratedCase[] {
  for (const spot of spots.filter((candidate) => candidate.place === 'body')) {
    const [first] = brokenValues(model, spot.shape)
    if (first === undefined || JSON.stringify(first.value).length > LONGEST_QUOTE) continue
    return [
      made(
        operation,
        'members that nobody knows',
        requestOf(model, operation, { ...spot.put(first.value), Unknown: { deep: [1, null] }, __proto: 1 }),
        validation(validationText(sentencesOf(model, spot.shape, first.value, spot.path))),
      ),
    ]
  }
  return []
}

const placeOf = (member: string | BoundMember | undefined): Place =>
  member === undefined ? 'body' : memberPlace(member)

/** All members of an input, nested ones too. */
function spotsOf(model: ServiceModel, input: string): Spot[] {
  const base = validStructure(model, input)
  return nested(model, input, '', (inner) => ({ ...base, ...inner }), [input])
}

function nested(
  model: ServiceModel,
  structure: string,
  prefix: string,
  wrap: (inner: Record<string, unknown>) => Record<string, unknown>,
  seen: readonly string[],
): Spot[] {
  const shape = shapeOf(model, structure)
  if (shape.type !== 'structure') return []
  const base = validStructure(model, structure)
  return Object.entries(shape.members).flatMap(([name, member]): Spot[] => {
    const target = memberShape(member)
    const place = memberPlace(member)
    if (place === 'status' || place === 'event-payload') return []
    const path = `${prefix}${lower(name)}`
    const put = (value: unknown) => wrap({ ...base, [name]: value })
    const without = () => {
      const rest = { ...base }
      delete rest[name]
      const all = wrap(rest)
      if (prefix === '') delete all[name]
      return all
    }
    const own: Spot = {
      path,
      shape: target,
      place: place === 'payload' && shapeOf(model, target).type === 'structure' ? 'body' : place,
      required: shape.required?.includes(name) ?? false,
      put,
      without,
    }
    if (seen.includes(target) || place !== 'body') return [own]
    return [own, ...inside(model, target, path, put, [...seen, target])]
  })
}

/** What is in a structure, or in the first structure of a list. */
function inside(
  model: ServiceModel,
  target: string,
  path: string,
  put: (value: unknown) => Record<string, unknown>,
  seen: readonly string[],
): Spot[] {
  const shape = shapeOf(model, target)
  if (shape.type === 'structure') return nested(model, target, `${path}.`, put, seen)
  if (shape.type !== 'list' || seen.includes(shape.member)) return []
  if (shapeOf(model, shape.member).type !== 'structure') return []
  const rest = (validValue(model, target) as unknown[]).slice(1)
  return nested(model, shape.member, `${path}.1.member.`, (item) => put([item, ...rest]), [
    ...seen,
    shape.member,
  ])
}
