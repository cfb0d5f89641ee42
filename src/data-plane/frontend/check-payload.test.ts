import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import type { LambdaError } from '#contracts/errors.ts'
import { checkPayload } from '#data-plane/frontend/check-payload.ts'

const PREFIX = 'Could not parse request body into json: Could not parse payload into json: '
const SOURCE = '[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); '
const faultOf = (payload: string | Uint8Array): string | undefined => {
  try {
    assert.equal(checkPayload(typeof payload === 'string' ? Buffer.from(payload) : payload), undefined)
    return undefined
  } catch (error) {
    const { code, status, message } = error as LambdaError
    assert.deepEqual([code, status], ['InvalidRequestContentException', 400])
    assert.ok(message.startsWith(PREFIX))
    return message.slice(PREFIX.length).replaceAll(SOURCE, '[')
  }
}

const VALUES = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
const FAULTS: readonly [string, string | Uint8Array, string][] = [
  ['a word', 'badbod', `Unrecognized token 'badbod': was expecting ${VALUES}\n at [line: 1, column: 7]`],
  [
    'a word with a digit behind a literal',
    'true1',
    `Unrecognized token 'true1': was expecting ${VALUES}\n at [line: 1, column: 6]`,
  ],
  [
    'NaN',
    '[NaN]',
    "Non-standard token 'NaN': enable `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow\n at [line: 1, column: 5]",
  ],
  [
    'single quotes',
    "{'a':1}",
    "Unexpected character (''' (code 39)): was expecting double-quote to start field name\n at [line: 1, column: 2]",
  ],
  [
    'a missing comma',
    '{"a":1 "b":2}',
    "Unexpected character ('\"' (code 34)): was expecting comma to separate Object entries\n at [line: 1, column: 8]",
  ],
  [
    'a missing comma on a later line',
    '[1,\n2 3]',
    "Unexpected character ('3' (code 51)): was expecting comma to separate Array entries\n at [line: 2, column: 3]",
  ],
  [
    'a missing colon',
    '{"a" 1}',
    "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and value\n at [line: 1, column: 6]",
  ],
  [
    'a trailing comma',
    '[1,]',
    `Unexpected character (']' (code 93)): expected a valid value ${VALUES}\n at [line: 1, column: 4]`,
  ],
  [
    'an open object',
    '{',
    'Unexpected end-of-input: expected close marker for Object (start marker at [line: 1, column: 1])\n at [line: 1, column: 2]',
  ],
  [
    'an open array',
    '{"a":[1',
    'Unexpected end-of-input: expected close marker for Array (start marker at [line: 1, column: 6])\n at [line: 1, column: 8]',
  ],
  [
    'an object without its value',
    '{"a":',
    'Unexpected end-of-input within/between Object entries\n at [line: 1, column: 6]',
  ],
  [
    'the wrong bracket',
    '{"a":1]',
    "Unexpected close marker ']': expected '}' (for Object starting at [line: 1, column: 1])\n at [line: 1, column: 7]",
  ],
  ['an open string', '"abc', 'Unexpected end-of-input in VALUE_STRING\n at [line: 1, column: 5]'],
  [
    'a newline in a string',
    '"a\nb"',
    'Illegal unquoted character ((CTRL-CHAR, code 10)): has to be escaped using backslash to be included in string value\n at [line: 1, column: 3]',
  ],
  [
    'an unknown escape',
    String.raw`"\x"`,
    "Unrecognized character escape 'x' (code 120)\n at [line: 1, column: 3]",
  ],
  [
    'a short unicode escape',
    String.raw`"\u12g4"`,
    "Unexpected character ('g' (code 103)): expected a hex-digit for character escape sequence\n at [line: 1, column: 6]",
  ],
  [
    'a lonely minus',
    '-x',
    "Unexpected character ('x' (code 120)) in numeric value: expected digit (0-9) to follow minus sign, for valid numeric value\n at [line: 1, column: 2]",
  ],
  ['a leading zero', '012', 'Invalid numeric value: Leading zeroes not allowed\n at [line: 1, column: 2]'],
  [
    'a bare decimal point',
    '1.',
    'Unexpected end-of-input in numeric value: Decimal point not followed by a digit\n at [line: 1, column: 3]',
  ],
  [
    'an umlaut outside a string',
    '{ä',
    "Unexpected character ('ä' (code 228)): was expecting double-quote to start field name\n at [line: 1, column: 2]",
  ],
  ['only white space', '  ', 'No content to map due to end-of-input\n at [line: 1, column: 3]'],
  [
    'two values',
    '1 2',
    "Unexpected character ('2' (code 50)): Expected space separating root-level values\n at [line: 1, column: 3]",
  ],
  [
    'a broken byte',
    Buffer.from([0x7b, 0x22, 0x87]),
    'Invalid UTF-8 start byte 0x87\n at [line: 1, column: 3]',
  ],
  [
    'a broken sequence',
    Buffer.from([0x22, 0xc3, 0x2d, 0x22]),
    'Invalid UTF-8 middle byte 0x2d\n at [line: 1, column: 3]',
  ],
  [
    'a fault before a broken byte',
    Buffer.from([0x7b, 0x61, 0x87]),
    "Unexpected character ('a' (code 97)): was expecting double-quote to start field name\n at [line: 1, column: 2]",
  ],
]
for (const [name, payload, expected] of FAULTS) {
  test(`payload: ${name} is refused in AWS's words`, () => assert.equal(faultOf(payload), expected))
}

test('payload: every kind of value is accepted', () => {
  const texts = [
    '{}',
    '[]',
    'null',
    'true',
    'false',
    '0',
    '-0.5e+10',
    '1E5',
    '""',
    ' [ 1 , {"a" : [ ] } ] \r\n\t',
    String.raw`"\"\\\/\b\f\n\r\tä\u00e4 ä 😀"`,
    '\uFEFF{}',
  ]
  for (const text of texts) assert.equal(faultOf(text), undefined, text)
})

test('payload: nesting is bounded', () => {
  assert.equal(faultOf('['.repeat(1000) + ']'.repeat(1000)), undefined)
  assert.match(
    faultOf('['.repeat(1001)) ?? '',
    /^Document nesting depth \(1001\) exceeds the maximum allowed \(1000/,
  )
})

test('payload: agrees with JSON.parse on any text made of pieces of JSON', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '"a"',
    '1',
    '-',
    '0',
    '.',
    'e',
    'true',
    'null',
    'nul',
    ' ',
    '\n',
    '\\',
    'ä',
    '\u0001',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('')
      let valid = true
      try {
        JSON.parse(text)
      } catch {
        valid = false
      }
      assert.equal(faultOf(text) === undefined, valid, JSON.stringify(text))
    }),
    { numRuns: 2000 },
  )
})

test('payload: accepts whatever JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      assert.equal(faultOf(JSON.stringify(value)), undefined)
    }),
    { numRuns: 300 },
  )
})

test('payload: any bytes are either accepted or refused, and never accepted when JSON.parse would refuse them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
      if (faultOf(bytes) === undefined) JSON.parse(new TextDecoder().decode(bytes))
    }),
    { numRuns: 1000 },
  )
})

test('payload: a large one is checked in slices and its faults are found', async () => {
  const rows = Array.from({ length: 20_000 }, (_, n) => ({ n, text: 'row '.repeat(5) }))
  const good = Buffer.from(JSON.stringify(rows))
  assert.ok(good.length > 600_000)
  const checked = checkPayload(good)
  assert.ok(checked instanceof Promise)
  await checked
  await assert.rejects(async () => checkPayload(Buffer.concat([good, Buffer.from(',')])), {
    code: 'InvalidRequestContentException',
  })
  await assert.rejects(async () => checkPayload(good.subarray(0, good.length - 1)), {
    code: 'InvalidRequestContentException',
  })
})
