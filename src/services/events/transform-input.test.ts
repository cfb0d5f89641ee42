import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parsePath, valueAt } from './json-path.ts'
import { eventText, replayedText } from './put-request.ts'
import { transformInput } from './transform-input.ts'

const text = eventText({
  id: 'i-1',
  detailType: 'T "x"',
  source: 'app',
  account: '111111111111',
  region: 'us-east-1',
  timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
  resources: ['r1', 'r2'],
  detail:
    '{ "s": "a \\"q\\" b", "n": 12345678901234567890, "f": 1.50, "l": [ {"k": 1}, {"k": 2} ], "o": {"a": "b"}, "z": null }',
})
const context = {
  ruleArn: 'arn:aws:events:us-east-1:111111111111:rule/R',
  ruleName: 'R',
  ingestedAt: Date.UTC(2026, 0, 2, 3, 4, 6, 1),
}
const template = (InputTemplate: string, InputPathsMap: Record<string, string> = {}) =>
  transformInput({ InputTransformer: { InputTemplate, InputPathsMap } }, text, context)

test('events: an event has its fields in order, and numbers as they were written', () => {
  assert.equal(
    text,
    '{"version":"0","id":"i-1","detail-type":"T \\"x\\"","source":"app","account":"111111111111","time":"2026-01-02T03:04:05Z",' +
      '"region":"us-east-1","resources":["r1","r2"],"detail":{"s":"a \\"q\\" b","n":12345678901234567890,"f":1.50,"l":[{"k":1},{"k":2}],' +
      '"o":{"a":"b"},"z":null}}',
  )
  assert.match(replayedText(text, 'again'), /"region":"us-east-1","replay-name":"again","resources":\["r1"/)
})

test('events: input, path and nothing', () => {
  assert.equal(transformInput({}, text, context), text)
  assert.equal(transformInput({ Input: '{"fixed": 1}' }, text, context), '{"fixed": 1}')
  assert.equal(transformInput({ InputPath: '$' }, text, context), text)
  const cases: Readonly<Record<string, string>> = {
    '$.detail.o': '{"a":"b"}',
    '$.detail.s': '"a \\"q\\" b"',
    '$.detail-type': '"T \\"x\\""',
    '$.resources[1]': '"r2"',
    '$.resources[7]': 'null',
    '$.detail.l[*].k': '[1,2]',
    '$.detail.l[0]': '{"k":1}',
    "$.detail['o']['a']": '"b"',
    '$.detail["o"].a': '"b"',
    '$.missing.deep': 'null',
    '$.detail.z': 'null',
  }
  for (const [path, expected] of Object.entries(cases)) {
    assert.equal(transformInput({ InputPath: path }, text, context), expected, path)
  }
})

test('events: templates', () => {
  const paths = {
    s: '$.detail.s',
    o: '$.detail.o',
    l: '$.detail.l',
    f: '$.detail.f',
    z: '$.detail.z',
    missing: '$.detail.missing',
    time: '$.time',
    'with-dash_1': '$.source',
  }
  const cases: readonly (readonly [template: string, result: string])[] = [
    // Recorded from AWS: the quotes stay, and what is missing is nothing.
    ['"at <time>, from <with-dash_1>"', '"at 2026-01-02T03:04:05Z, from app"'],
    ['"info <missing>"', '"info "'],
    ['{"a": <s>}', '{"a": "a \\"q\\" b"}'],
    ['{"a": "<s>"}', '{"a": "a \\"q\\" b"}'],
    ['{"a": <o>, "b": <l>}', '{"a": {"a":"b"}, "b": [{"k":1},{"k":2}]}'],
    ['{"a": "got <o>"}', '{"a": "got {a:b}"}'],
    ['{"a": "<l>"}', '{"a": "[{k:1},{k:2}]"}'],
    ['{"a": <f>, "b": "<f>"}', '{"a": 1.5, "b": "1.5"}'],
    ['{"a": <z>, "b": "<z>"}', '{"a": null, "b": "null"}'],
    ['{"a": <missing>}', '{"a": ""}'],
    ['{"a": <nobody>}', '{"a": <nobody>}'],
    ['"<nobody> <time"', '"<nobody> <time"'],
    [
      '{"rule": "<aws.events.rule-name>", "arn": <aws.events.rule-arn>}',
      `{"rule": "R", "arn": "${context.ruleArn}"}`,
    ],
    ['{"at": "<aws.events.event.ingestion-time>"}', '{"at": "2026-01-02T03:04:06.001Z"}'],
    ['{"all": <aws.events.event.json>}', `{"all": ${text}}`],
    ['{"esc": "\\"<s>\\""}', '{"esc": "\\"a \\"q\\" b\\""}'],
    ['"line <time>"\n"next <f>"', '"line 2026-01-02T03:04:05Z"\n"next 1.5"'],
    ['<o>', '{"a":"b"}'],
    ['<time>', '"2026-01-02T03:04:05Z"'],
    ['plain', 'plain'],
    ['a < b > c', 'a < b > c'],
  ]
  for (const [given, expected] of cases) assert.equal(template(given, paths), expected, given)
  const bare = JSON.parse(template('{"e": <aws.events.event>}')) as { e: Record<string, unknown> }
  assert.deepEqual([bare.e['id'], 'detail' in bare.e], ['i-1', false])
  // An own variable can't take the name of a reserved one.
  assert.equal(template('"<aws.events.rule-name>"', { 'aws.events.rule-name': '$.source' }), '"R"')
})

test('events: paths', () => {
  for (const path of ['detail', '$detail', '$.a b', '$.', '$[x]', '$..a'])
    assert.equal(parsePath(path), undefined, path)
  assert.deepEqual(valueAt({ a: { b: 1, c: 2 } }, '$.a.*'), [1, 2])
  assert.deepEqual(valueAt({ a: { b: [1, 2] } }, '$.a.b[*]'), [1, 2])
  assert.equal(valueAt({}, '$.toString'), undefined)
})
