import assert from 'node:assert/strict'
import { test } from 'node:test'

import { FilterPatternError } from '#services/logs/filter/filter-error.ts'
import { parseFilterPattern } from '#services/logs/filter/filter-pattern.ts'

const TRAIL = JSON.stringify({
  eventType: 'UpdateTrail',
  sourceIPAddress: '111.111.111.111',
  arrayKey: ['value', 'another value'],
  objectList: [
    { name: 'a', id: 1 },
    { name: 'b', id: 2 },
  ],
  SomeObject: null,
  ThisFlag: true,
  code: 400,
  text: '400',
  'dotted.key': 'x',
})
const USERS = JSON.stringify({
  user: { id: 1, email: 'John.Stiles@example.com' },
  users: [
    { id: 2, email: 'John.Doe@example.com' },
    { id: 3, email: 'Jane.Doe@example.com' },
  ],
  actions: ['GET', 'PUT', 'DELETE'],
  coordinates: [
    [0, 1, 2],
    [4, 5, 6],
  ],
  latency: 1.5e3,
})
const APACHE = '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'

// Pattern, message, whether it matches.
const table: readonly (readonly [string, string, boolean])[] = [
  ['', 'anything', true],
  ['ERROR', '[ERROR] A fatal exception', true],
  ['ERROR', 'Exiting with ERRORCODE: -1', true],
  ['ERROR', 'error', false],
  ['ERROR Exception', '[ERROR] Unhandled Exception', true],
  ['ERROR Exception', '[ERROR] nothing', false],
  ['"fatal exception"', 'A fatal exception', true],
  ['"exception fatal"', 'A fatal exception', false],
  ['"say \\"hi\\""', 'they say "hi" now', true],
  ['"ERROR" -"Exiting"', 'Exiting with ERRORCODE', false],
  ['ERROR -WARN', 'ERROR message', true],
  ['ERROR -WARN', 'ERROR WARN message', false],
  ['-DEBUG', 'INFO', true],
  ['?ERROR ?WARN', 'WARN message', true],
  ['?ERROR ?WARN', 'INFO message', false],
  ['INFO ?ERROR ?WARN', 'INFO message', true],
  ['größe', 'die größe zählt', true],
  ['%AUTH.*ED%', 'UNAUTHORIZED REQUEST', true],
  ['%^AUTH%', 'UNAUTHORIZED REQUEST', false],
  ['%colou?r%', 'the color', true],
  ['%gr[ae]y|blue$%', 'sky blue', true],
  ['%gr[ae]y|blue$%', 'blue sky', false],
  ['%10\\.10\\.0\\.[0-9]{1,3}%', 'from 10.10.0.17 to', true],
  ['%10\\.10\\.0\\.[0-9]{1,3}%', 'from 10.10x0.17 to', false],
  ['%^[^a-z]+$%', 'ABC 123', true],
  ['%\\d{3}-\\w+\\s%', 'id 123-abc ok', true],

  ['{ $.eventType = "UpdateTrail" }', TRAIL, true],
  ['{ $.eventType = UpdateTrail }', TRAIL, true],
  ['{ $.eventType = "Update*" }', TRAIL, true],
  ['{ $.eventType = *Trail }', TRAIL, true],
  ['{ $.eventType = U*te*l }', TRAIL, true],
  ['{ $.eventType = *Trails }', TRAIL, false],
  ['{ $.eventType != "Other" }', TRAIL, true],
  ['{ $.sourceIPAddress != 123.123.* }', TRAIL, true],
  ['{ $.sourceIPAddress = 111.111.* }', TRAIL, true],
  ['{ $.missing != "x" }', TRAIL, false],
  ['{ $.arrayKey[0] = "value" }', TRAIL, true],
  ['{ $.arrayKey[1] = "value" }', TRAIL, false],
  ['{ $.arrayKey[*] = "another value" }', TRAIL, true],
  ['{ $.arrayKey = "value" }', TRAIL, false],
  ['{ $.arrayKey != "value" }', TRAIL, false],
  ['{ $.objectList[1].id = 2 }', TRAIL, true],
  ['{ $.objectList[*].id = 2 }', TRAIL, true],
  ['{ $.objectList[*].id > 2 }', TRAIL, false],
  ['{ $.SomeObject IS NULL }', TRAIL, true],
  ['{ $.missing IS NULL }', TRAIL, false],
  ['{ $.missing NOT EXISTS }', TRAIL, true],
  ['{ $.SomeObject NOT EXISTS }', TRAIL, false],
  ['{ $.SomeObject EXISTS }', TRAIL, true],
  ['{ $.ThisFlag IS TRUE }', TRAIL, true],
  ['{ $.ThisFlag IS FALSE }', TRAIL, false],
  ['{ $.code = 400 }', TRAIL, true],
  ['{ $.code = 4* }', TRAIL, true],
  ['{ $.code >= 4e2 && $.code <= +400 }', TRAIL, true],
  ['{ $.code < 400 }', TRAIL, false],
  ['{ $.text = 400 }', TRAIL, true],
  ["{ $.['dotted.key'] = x }", TRAIL, true],
  ['{ $.eventType = %^Up.*l$% }', TRAIL, true],
  ['{ $.constructor EXISTS }', TRAIL, false],
  ['{ $.eventType = "UpdateTrail" }', 'no JSON', false],
  ['{ $.eventType = "UpdateTrail" }', '{"eventType":', false],
  ['{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', USERS, true],
  ['{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', USERS, false],
  [
    '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch && $.actions[2] = nomatch }',
    USERS,
    true,
  ],
  [
    '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = nonmatch) && $.actions[2] = nomatch }',
    USERS,
    false,
  ],
  ['{ $.coordinates[1][2] = 6 }', USERS, true],
  ['{$.latency>=1500}', USERS, true],

  ['[ip, user, username, timestamp, request, status_code, bytes]', APACHE, true],
  ['[ip, user, username]', APACHE, false],
  ['[..., status_code, bytes]', APACHE, true],
  ['[ip, user, ..., status_code = 4*, bytes]', APACHE, true],
  ['[ip, user, ...]', APACHE, true],
  ['[ip, user, username, timestamp, request, status_code, bytes > 1000]', APACHE, true],
  ['[ip, user, username, timestamp, request, status_code, bytes > 2000]', APACHE, false],
  ['[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]', APACHE, true],
  ['[ip, user, username, timestamp, request, status_code = 4* && status_code != 404, bytes]', APACHE, false],
  ['[..., request = *.html*, status_code = 4*,]', APACHE, true],
  ['[ip = %127\\.0\\.0\\.[0-9]%, ...]', APACHE, true],
  ['[w1=ERROR, w2]', 'ERROR message', true],
  ['[w1=ERROR, w2]', 'ERROR WARN message', false],
  ['[w1=ERROR || w1=WARN, w2]', 'WARN message', true],
  ['[w1!=ERROR && w1!=WARN, w2]', 'INFO message', true],
  ['[w1=!ERROR&&w1=!WARN, w2]', 'WARN message', false],
  ['[w1="two words", ...]', '"two words" and more', true],
]
for (const [pattern, message, matches] of table) {
  test(`${pattern || '(empty)'} ${matches ? 'matches' : 'does not match'} ${message.slice(0, 40)}`, () =>
    assert.equal(parseFilterPattern(pattern)(message), matches))
}

const refused: readonly (readonly [string, string])[] = [
  ['{ $.a = 1', "If a filter pattern starts with '{' it must end with '}'"],
  ['[a, b', "If a filter pattern starts with '[' it must end with ']'"],
  ['START?', "Invalid character(s) in term 'START?'"],
  ['user-agent', "Invalid character(s) in term 'user-agent'"],
  ['"open', 'Invalid filter pattern'],
  ['{ $.a }', 'Invalid filter pattern'],
  ['{ a = 1 }', 'Invalid filter pattern'],
  ['{ $.a = }', 'Invalid filter pattern'],
  ['{ $.a > x }', 'Invalid filter pattern'],
  ['{ $.a = 1 && }', 'Invalid filter pattern'],
  ['{ ($.a = 1 }', 'Invalid filter pattern'],
  ['{}', 'Invalid filter pattern'],
  ['[..., a, ...]', 'Invalid filter pattern'],
  ['%(a+)+b%', 'Invalid filter pattern'],
  ['%[z-a]%', 'Invalid filter pattern'],
  ['%a{9999}%', 'Invalid filter pattern'],
  ['%*%', 'Invalid filter pattern'],
  ['%é%', 'Invalid filter pattern'],
  ['x'.repeat(1025), 'Invalid filter pattern'],
]
for (const [pattern, message] of refused) {
  test(`refused: ${pattern.slice(0, 30)}`, () => {
    assert.throws(() => parseFilterPattern(pattern), { name: FilterPatternError.name, message })
  })
}

test('an expression that would make a backtracking engine run for years ends', () => {
  const matches = parseFilterPattern('%.*.*.*.*.*.*.*.*.*.*x$%')
  assert.equal(matches('a'.repeat(20_000)), false)
})

test('nonsense never does anything but match or be refused', () => {
  const parts = [
    '{',
    '}',
    '[',
    ']',
    '$',
    '.a',
    '=',
    '!=',
    '"',
    '%',
    '&&',
    '||',
    '(',
    ')',
    '*',
    '?',
    '-',
    ' ',
    '1',
    'IS',
    '...',
    ',',
  ]
  let seed = 7
  const next = (limit: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % limit
  for (let round = 0; round < 3000; round++) {
    const pattern = Array.from({ length: 1 + next(12) }, () => parts[next(parts.length)]).join('')
    try {
      parseFilterPattern(pattern)('{"a":1} x "y" [z]')
    } catch (error) {
      assert.ok(error instanceof FilterPatternError, `${pattern}: ${String(error)}`)
    }
  }
})

test('regular expressions agree with those of the language wherever both know the syntax', () => {
  const atoms = ['a', 'b', '.', '[ab]', '[^a]', '\\d', '\\w', '1']
  const quantifiers = ['', '', '', '*', '+', '?', '{2}', '{1,2}', '{0,}', '{2,}']
  let seed = 11
  const next = (limit: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % limit
  const branch = () => {
    const body = Array.from({ length: 1 + next(4) }, () => `${atoms[next(8)]}${quantifiers[next(10)]}`).join(
      '',
    )
    return `${next(4) === 0 ? '^' : ''}${body}${next(4) === 0 ? '$' : ''}`
  }
  for (let round = 0; round < 2000; round++) {
    const source = Array.from({ length: 1 + next(2) }, branch).join('|')
    const text = Array.from({ length: next(7) }, () => 'ab1 '[next(4)]).join('')
    assert.equal(
      parseFilterPattern(`%${source}%`)(text),
      new RegExp(source).test(text),
      `${source} on "${text}"`,
    )
  }
})
