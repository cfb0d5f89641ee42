/** `[ip, user, ..., status = 4*, bytes > 1000]`: patterns over log events whose fields are separated by spaces. */
import { createScanner, invalid, readExpression, type Scanner } from './scanner.ts'
import { readValueTest, type Operator } from './value-test.ts'

type FieldTest = (field: string) => boolean

const NAME = /[A-Za-z0-9_$\-.]+/y
const OPERATORS: readonly Operator[] = ['!=', '<=', '>=', '=', '<', '>']
const ANY: FieldTest = () => true
/** Fields of one message that are looked at; a longer message matches only a pattern with an ellipsis. */
const MAX_FIELDS = 1024

/** `body` is what stands between the brackets. Throws `FilterPatternError`. */
export function parseSpacePattern(body: string): (message: string) => boolean {
  const scanner = createScanner(body)
  const before: FieldTest[] = []
  let after: FieldTest[] | undefined
  do {
    if (scanner.take('...') || scanner.take('…')) {
      if (after) throw invalid()
      after = []
    } else (after ?? before).push(readField(scanner))
  } while (scanner.take(','))
  if (!scanner.atEnd()) throw invalid()
  const tail = after
  return (message) => {
    const fields = splitFields(message)
    if (tail ? fields.length < before.length + tail.length : fields.length !== before.length) return false
    const offset = fields.length - (tail?.length ?? 0)
    return (
      before.every((test, index) => test(fields[index] ?? '')) &&
      (tail?.every((test, index) => test(fields[offset + index] ?? '')) ?? true)
    )
  }
}

function readField(scanner: Scanner): FieldTest {
  if (scanner.atEnd() || scanner.peek(',')) return ANY
  // Every condition names the field again; a field without one is just a name.
  return readExpression<string>(scanner, () => {
    const name = scanner.match(NAME)
    if (name === undefined) throw invalid()
    const operator = OPERATORS.find((sign) => scanner.take(sign))
    if (operator === undefined) return ANY
    // AWS's documentation also writes `w1=!ERROR`.
    return readValueTest(scanner, operator === '=' && scanner.take('!') ? '!=' : operator)
  })
}

/** Splits at white space; what stands in brackets or double quotes is one field, without them. */
function splitFields(message: string): readonly string[] {
  const fields: string[] = []
  for (const found of message.matchAll(/\[([^\]]*)\](?=\s|$)|"([^"]*)"(?=\s|$)|(\S+)/g)) {
    if (fields.length > MAX_FIELDS) break
    fields.push(found[1] ?? found[2] ?? found[3] ?? '')
  }
  return fields
}
