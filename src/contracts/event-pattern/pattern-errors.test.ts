/** What is said of patterns that are none. Rows marked with `recorded` were recorded from AWS, position and all. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { compilePattern } from './event-pattern.ts'
import { PatternError } from './json-tokens.ts'

const messageOf = (text: string): string => {
  try {
    compilePattern(text)
    return 'no error'
  } catch (error) {
    assert.ok(error instanceof PatternError, text)
    return error.message
  }
}

/** Pattern, text, column, and how often the place stands there. */
type Row = readonly [pattern: string, message: string, column: number, times?: number]
const NOT_KNOWN = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"

const RECORDED: readonly Row[] = [
  ['{"int": 42}', '"int" must be an object or an array', 11],
  ['{"string": "my-value"}', '"string" must be an object or an array', 13],
  ['{"resources": []}', 'Empty arrays are not allowed', 17],
  ['{"detail": {"equal": [{"NUMERIC": ["=", 5]}]}}', 'Unrecognized match type NUMERIC', 36],
  ['{"my_key": [{"EXISTS": true}]}', 'Unrecognized match type EXISTS', 28],
  ['{"detail": {"c-count": [{"numeric": [">", 0, ">", 0]}]}}', 'Bad numeric range operator: >', 49],
  ['{"detail": {"c-count": [{"numeric": [">", 0, "<"]}]}}', 'Value of < must be numeric', 50],
  [
    '{"detail-type": [{"equals-ignore-case": ["ec2 instance state-change notification"]}]}',
    'equals-ignore-case match pattern must be a string',
    42,
  ],
  [
    '{"detail-type": [{"equals-ignore-case": {"prefix": "ec2"}}]}',
    'equals-ignore-case match pattern must be a string',
    42,
  ],
  [
    '{"detail": {"state": [{"anything-but": {"equals-ignore-case": 123}}]}}',
    'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.',
    66,
  ],
  [
    '{"detail": {"state": [{"anything-but": {"equals-ignore-case": [123, 456]}}]}}',
    'Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.',
    67,
    2,
  ],
  ['this is valid json but not a dict', `Unrecognized token 'this': ${NOT_KNOWN}`, 5],
  [
    "{'bad': 'quotation'}",
    "Unexpected character (''' (code 39)): was expecting double-quote to start field name",
    2,
  ],
  ['{"not": closed mark"', `Unrecognized token 'closed': ${NOT_KNOWN}`, 15],
  ['["not", "a", "dict", "but valid json"]', 'Filter is not an object', 2],
  ['{"EventBusArn": [{"wildcard": 123}]}', 'wildcard match pattern must be a string', 34],
  [
    '{"detail": {"state": [{"anything-but": {"wildcard": [123, "*/dir/*"]}}]}}',
    'wildcard match pattern must be a string',
    57,
    2,
  ],
  [
    '{"detail": {"FilePath": [{"anything-but": {"wildcard": 123}}]}}',
    'wildcard match pattern must be a string',
    59,
  ],
  [
    '{"detail": {"FileName": [{"anything-but": {"suffix": [123, ".txt"]}}]}}',
    'prefix/suffix match pattern must be a string',
    58,
    2,
  ],
  [
    '{"detail": {"FileName": [{"anything-but": {"suffix": 123}}]}}',
    'prefix/suffix match pattern must be a string',
    57,
  ],
  [
    '{"detail": {"state": [{"anything-but": {"prefix": [123, "test"]}}]}}',
    'prefix/suffix match pattern must be a string',
    55,
    2,
  ],
  [
    '{"detail": {"state": [{"anything-but": {"prefix": 123}}]}}',
    'prefix/suffix match pattern must be a string',
    54,
  ],
  ['{"time": [{"prefix": ["2022-07-13"]}]}', 'prefix match pattern must be a string', 23],
  ['{"time": [{"prefix": 123}]}', 'prefix match pattern must be a string', 25],
  ['{"FileName": [{"suffix": 123}]}', 'suffix match pattern must be a string', 29],
  ['{"FileName": [{"suffix": [".png"]}]}', 'suffix match pattern must be a string', 27],
  [
    '{"detail": {"FileName": [{"anything-but": {"prefix": {"equals-ignore-case": "file"}}}]}}',
    'Value of anything-but must be an array or single string/number value.',
    55,
  ],
  [
    '{"detail": {"FileName": [{"anything-but": {"suffix": {"equals-ignore-case": ".png"}}}]}}',
    'Value of anything-but must be an array or single string/number value.',
    55,
  ],
  ['{"detail": {"sourceIPAddress": [{"cidr": ["bad-type"]}]}}', 'prefix match pattern must be a string', 43],
  // The column of the first is recorded; the place within the text is that of AWS for an ARN of this length.
  [
    '{"EventBusArn": [{"wildcard": "arn:aws:events:us-east-1:**:event-bus/*"}]}',
    'Consecutive wildcard characters at pos 26',
    72,
  ],
]

test('event pattern errors: texts and places as recorded from AWS', () => {
  for (const [pattern, message, column, times = 1] of RECORDED) {
    const place = `\n at [Source: (String)"${pattern}"; line: 1, column: ${column}]`
    assert.equal(messageOf(pattern), message + place.repeat(times), pattern)
  }
})

test('event pattern errors: some have no place, as recorded from AWS', () => {
  const cidr = (value: string) => messageOf(JSON.stringify({ a: [{ cidr: value }] }))
  assert.equal(cidr('10.0.0.0'), "Malformed CIDR, one '/' required")
  assert.equal(cidr('10.0.0.0/xx'), 'Malformed CIDR, mask bits must be an integer')
  assert.equal(cidr('xx.11.xx/8'), 'Nonstandard IP address: xx.11.xx')
  assert.equal(cidr('xxxx:db8:1234:1a00::/56'), 'Nonstandard IP address: xxxx:db8:1234:1a00::')
  assert.equal(cidr('10.0.0.0/32'), 'IPv4 mask bits must be < 32')
  assert.equal(cidr('::/128'), 'IPv6 mask bits must be < 128')
  assert.equal(cidr('10.0.0.0/-1'), 'Malformed CIDR, mask bits must not be negative')
  assert.match(
    messageOf('{"a": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}'),
    /^Rule is too complex - try using fewer/,
  )
})

test('event pattern errors: the rest of the words', () => {
  const rows: readonly (readonly [string, string])[] = [
    ['{}', 'Empty objects are not allowed'],
    ['{"a": {}}', 'Empty objects are not allowed'],
    ['{"a": [{}]}', 'Match expression name not found'],
    ['{"a": [[1]]}', 'Match value must be String, number, true, false, or null'],
    ['{"a": null}', '"a" must be an object or an array'],
    ['{"a": [{"prefix": "x", "suffix": "y"}]}', 'Only one key allowed in match expression'],
    ['{"a": [{"exists": "yes"}]}', 'exists match pattern must be either true or false.'],
    ['{"a": [{"numeric": 5}]}', 'Value of numeric must be an array.'],
    ['{"a": [{"numeric": [5]}]}', 'Invalid member in numeric match: 5'],
    ['{"a": [{"numeric": ["!", 5]}]}', 'Unrecognized numeric range operator: !'],
    ['{"a": [{"numeric": ["=", "5"]}]}', 'Value of equals must be numeric'],
    ['{"a": [{"numeric": ["=", 5, "<", 6]}]}', 'Too many elements in numeric expression'],
    ['{"a": [{"numeric": [">", 5, "<", 6, 7]}]}', 'Too many terms in numeric range expression'],
    ['{"a": [{"numeric": [">", 5, "<", 5]}]}', 'Bottom must be less than top'],
    ['{"a": [{"numeric": [">", 5000000001]}]}', 'Value must be between -5.0E9 and 5.0E9, inclusive'],
    ['{"a": [{"anything-but": {}}]}', 'Anything-But expression name not found'],
    ['{"a": [{"anything-but": {"numeric": ["=", 1]}}]}', 'Unsupported anything-but pattern: numeric'],
    [
      '{"a": [{"anything-but": null}]}',
      'Value of anything-but must be an array or single string/number value.',
    ],
    ['{"a": [{"anything-but": [true]}]}', 'Inside anything but list, start|null|boolean is not supported.'],
    [
      '{"a": [{"anything-but": ["x", 1]}]}',
      'Inside anything but list, either all values are number or string, mixed type is not supported',
    ],
    [
      '{"a": [{"anything-but": []}]}',
      'Inside anything but list, either all values are number or string, mixed type is not supported',
    ],
    ['{"a": [{"anything-but": {"prefix": ""}}]}', 'Null prefix/suffix not allowed'],
    ['{"a": [{"prefix": {"suffix": "x"}}]}', 'Unsupported prefix pattern: suffix'],
    ['{"a": [{"suffix": {}}]}', 'Suffix expression name not found'],
    ['{"a": [{"wildcard": "a\\\\b"}]}', 'Invalid escape character at pos 2'],
    ['{"$or": [{"a": ["x"]}]}', 'There must have at least 2 Objects in $or relationship.'],
    ['{"$or": [{"a": ["x"]}, "y"]}', 'Only JSON object is allowed in array of $or relationship.'],
    [
      '{"$or": [{"prefix": ["x"]}, {"a": [1]}]}',
      'prefix is Ruler reserved fieldName which cannot be used inside $or.',
    ],
  ]
  for (const [pattern, message] of rows) {
    assert.ok(messageOf(pattern).startsWith(`${message}\n at [Source: `), `${pattern}: ${messageOf(pattern)}`)
  }
})

test('event pattern errors: lines are counted, long sources cut', () => {
  assert.match(messageOf('{\n  "a": 1\n}'), /line: 2, column: 9\]$/)
  const long = `{"a": [${'"x",'.repeat(200)}"x"], "b": 1}`
  assert.match(messageOf(long), /"\[truncated \d+ chars\]; line: 1, column: \d+\]$/)
})

test('event pattern errors: whatever is cut short is no pattern', () => {
  const whole =
    '{"a": [{"numeric": [">", 1, "<=", 2]}, "x", null], "b": {"c": [{"anything-but": {"prefix": ["p"]}}]}}'
  for (let length = 0; length < whole.length; length++)
    assert.notEqual(messageOf(whole.slice(0, length)), 'no error')
})
