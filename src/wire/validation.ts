/** Checks an input against the constraints of the model and says what is wrong in AWS's words. */
import { LambdaError } from '#contracts/errors.ts'
import {
  memberShape,
  type MapShape,
  type ServiceModel,
  type Shape,
  type StructureShape,
} from '#wire/model.ts'
import { scalarRules, type Rule } from '#wire/validation-rules.ts'
import { printValue } from '#wire/validation-text.ts'

/** Adds a sentence to `out` for each constraint that `value` breaks. `path` is the value's place, as AWS writes it. */
type Check = (value: unknown, path: string, out: string[]) => void

export interface Validators {
  /** What is wrong with an input of this structure; undefined when nothing is. */
  check(shape: string, input: object): LambdaError | undefined
}

/** Texts grow with what the client sent; a request with more mistakes than this is told about the first ones. */
const MAX_SENTENCES = 100

export function createValidators(model: ServiceModel): Validators {
  const compiled = new Map<string, Check | undefined>()
  const of = (name: string): Check | undefined => {
    if (compiled.has(name)) return compiled.get(name)
    // Shapes may contain themselves: until this one is compiled, a detour stands for it.
    compiled.set(name, (value, path, out) => check?.(value, path, out))
    const shape = model.shapes[name]
    if (!shape) throw new Error(`The model has no shape '${name}'`)
    const check: Check | undefined = compile(model, shape, of)
    compiled.set(name, check)
    return check
  }
  return {
    check(shape, input) {
      const absent = model.validation.missing && absentMember(model.shapes[shape], input)
      if (absent) return missingParameter(model.validation.missing ?? '', absent)
      const out: string[] = []
      of(shape)?.(input, '', out)
      return out.length === 0 ? undefined : failure(model.validation.error, out)
    },
  }
}

/** The first required member that the input lacks. */
function absentMember(shape: Shape | undefined, input: object): string | undefined {
  const required = shape && 'required' in shape ? shape.required : undefined
  return required?.find((name) => (input as Readonly<Record<string, unknown>>)[name] === undefined)
}

const missingParameter = (code: string, name: string) =>
  new LambdaError(code, `The request must contain the parameter ${name}.`, { status: 400 })

function failure(code: string, sentences: readonly string[]): LambdaError {
  const count = sentences.length === 1 ? '1 validation error' : `${sentences.length} validation errors`
  return new LambdaError(code, `${count} detected: ${sentences.join('; ')}`, { status: 400 })
}

function compile(
  model: ServiceModel,
  shape: Shape,
  of: (name: string) => Check | undefined,
): Check | undefined {
  const rules = scalarRules(shape)
  const own = rules.length === 0 ? undefined : ownCheck(rules, isSilent(model, shape), shape)
  switch (shape.type) {
    case 'structure':
    case 'union':
      return structureCheck(shape, of)
    case 'list':
      return both(own, elementsCheck(model, shape.member, isSilent(model, shape), of))
    case 'map':
      return both(own, entriesCheck(model, shape, of))
    default:
      return own
  }
}

function both(first: Check | undefined, second: Check | undefined): Check | undefined {
  if (!first || !second) return first ?? second
  return (value, path, out) => {
    first(value, path, out)
    second(value, path, out)
  }
}

/** True when texts must not repeat the value. */
const isSilent = ({ validation }: ServiceModel, { sensitive }: Shape) =>
  sensitive === true || !validation.quotesValues

function report(out: string[], value: unknown, silent: boolean, path: string, constraint: string): void {
  if (out.length >= MAX_SENTENCES) return
  const subject = silent ? 'Value' : value === null ? 'Value null' : `Value '${printValue(value)}'`
  out.push(`${subject} at '${path}' failed to satisfy constraint: ${constraint}`)
}

/** One sentence for each broken rule. */
function ownCheck(rules: readonly Rule[], silent: boolean, shape: Shape): Check {
  return (value, path, out) => {
    for (const rule of rules) {
      if (rule.broken(value)) report(out, asJava(shape, value), silent, path, rule.text)
    }
  }
}

/** Java prints a double with a fraction: 2.0. */
const asJava = (shape: Shape | undefined, value: unknown) =>
  shape?.type === 'double' && Number.isInteger(value) ? (value as number).toFixed(1) : value

function structureCheck(
  shape: Pick<StructureShape, 'members' | 'required'>,
  of: (name: string) => Check | undefined,
) {
  const members = Object.entries(shape.members).flatMap(([name, member]) => {
    const required = shape.required?.includes(name) ?? false
    const check = of(memberShape(member))
    return required || check ? [{ name, place: lowerFirst(name), required, check }] : []
  })
  if (members.length === 0) return undefined
  const structure: Check = (value, path, out) => {
    for (const { name, place, required, check } of members) {
      const item = (value as Readonly<Record<string, unknown>>)[name]
      if (item !== undefined && item !== null) check?.(item, path === '' ? place : `${path}.${place}`, out)
      else if (required) report(out, null, false, path === '' ? place : `${path}.${place}`, NOT_NULL)
    }
  }
  return structure
}

const NOT_NULL = 'Member must not be null'

/** AWS names members with the first letter in lower case, whatever follows: `kMSKeyArn`. */
const lowerFirst = (name: string) => `${name[0]?.toLowerCase() ?? ''}${name.slice(1)}`

/**
 * The rules that a scalar element must keep, as one text: AWS lists all of them as soon as one element breaks one,
 * and shows the whole list. Undefined for elements that have rules of their own inside (structures, lists).
 */
function aspect(model: ServiceModel, name: string) {
  const shape = model.shapes[name]
  if (!shape) throw new Error(`The model has no shape '${name}'`)
  const rules = scalarRules(shape)
  const texts = [...rules.map((rule) => rule.text), ...(model.validation.elementsNotNull ? [NOT_NULL] : [])]
  const broken = (item: unknown) => {
    if (item === null) return model.validation.elementsNotNull
    for (const rule of rules) if (rule.broken(item)) return true
    return false
  }
  return { broken, text: `[${texts.join(', ')}]`, silent: isSilent(model, shape) }
}

function elementsCheck(
  model: ServiceModel,
  member: string,
  silent: boolean,
  of: (name: string) => Check | undefined,
): Check | undefined {
  const { broken, text, silent: silentElement } = aspect(model, member)
  const shape = model.shapes[member]
  const inner = shape && 'members' in shape ? of(member) : undefined
  return (value, path, out) => {
    const list = value as readonly unknown[]
    if (list.some(broken)) {
      report(out, list, silent || silentElement, path, `Member must satisfy constraint: ${text}`)
    }
    if (!inner) return
    for (const [index, item] of list.entries()) {
      if (item !== null) inner(item, `${path}.${index + 1}.member`, out)
    }
  }
}

function entriesCheck(model: ServiceModel, map: MapShape, of: (name: string) => Check | undefined): Check {
  const keys = aspect(model, map.key)
  const values = aspect(model, map.value)
  const shape = model.shapes[map.value]
  const inner = shape && 'members' in shape ? of(map.value) : undefined
  const silent = isSilent(model, map) || keys.silent || values.silent
  return (value, path, out) => {
    const entries = value as Readonly<Record<string, unknown>>
    const shown = () =>
      Object.fromEntries(Object.entries(entries).map(([key, item]) => [key, asJava(shape, item)]))
    if (Object.keys(entries).some(keys.broken)) {
      report(out, shown(), silent, path, `Map keys must satisfy constraint: ${keys.text}`)
    }
    if (Object.values(entries).some(values.broken)) {
      report(out, shown(), silent, path, `Map value must satisfy constraint: ${values.text}`)
    }
    if (!inner) return
    for (const [name, item] of Object.entries(entries)) {
      if (item !== null) inner(item, `${path}.${name}.member`, out)
    }
  }
}
