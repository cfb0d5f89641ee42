import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { compilePattern, matches } from '#contracts/policy-evaluation/wildcard.ts'

const NONE = () => undefined
const fits = (pattern: string, text: string, context: Readonly<Record<string, readonly string[]>> = {}) =>
  matches(compilePattern(pattern, { wildcards: true, variables: true }), text, (key) => context[key])

for (const [pattern, text, expected] of [
  ['*', '', true],
  ['*', 'anything', true],
  ['', '', true],
  ['', 'a', false],
  ['a', 'a', true],
  ['a', 'A', false],
  ['a', 'ab', false],
  ['?', '', false],
  ['?', 'a', true],
  ['??', 'a', false],
  ['a*', 'a', true],
  ['*a', 'ba', true],
  ['*a', 'ab', false],
  ['a*a', 'a', false],
  ['a*a', 'aa', true],
  ['a*b*c', 'a-b-b-c', true],
  ['a*b*c', 'acb', false],
  ['**', 'x', true],
  ['*?', '', false],
  ['*?*', 'x', true],
  ['a?c*e', 'abcde', true],
  ['*?b?*', 'aabaa', true],
  ['arn:aws:lambda:*:123456789012:function:*', 'arn:aws:lambda:eu-west-1:123456789012:function:a:1', true],
  [
    'arn:aws:lambda:*:123456789012:function:my-*',
    'arn:aws:lambda:eu-west-1:123456789012:function:your',
    false,
  ],
  // Characters that regular expressions know stand for themselves.
  ['a.c', 'abc', false],
  ['(a|b)+[c]\\d^$', '(a|b)+[c]\\d^$', true],
  ['${*}${?}${$}', '*?$', true],
  ['${*}', 'x', false],
] as const) {
  test(`wildcard: ${JSON.stringify(pattern)} ${expected ? 'fits' : 'does not fit'} ${JSON.stringify(text)}`, () => {
    assert.equal(fits(pattern, text), expected)
  })
}

test('wildcard: a variable stands for the value of the request, whose stars are only letters', () => {
  const context = { 'aws:username': ['ada'], hostile: ['*'], two: ['a', 'b'] }
  assert.equal(fits('home/${aws:username}/*', 'home/ada/x', context), true)
  assert.equal(fits('home/${AWS:UserName}/*', 'home/ada/x', context), true)
  assert.equal(fits('home/${aws:username}/*', 'home/bob/x', context), false)
  assert.equal(fits('home/${hostile}', 'home/bob', context), false)
  assert.equal(fits('home/${hostile}', 'home/*', context), true)
  assert.equal(fits('${missing}', '', context), false)
  assert.equal(fits("${missing, 'nobody'}", 'nobody', context), true)
  assert.equal(fits("${aws:username, 'nobody'}", 'nobody', context), false)
  // A key with several values is not one text.
  assert.equal(fits('${two}', 'a', context), false)
})

test('wildcard: policies of the old version have no variables', () => {
  const pattern = compilePattern('${aws:username}', { wildcards: true, variables: false })
  assert.equal(matches(pattern, '${aws:username}', NONE), true)
  assert.equal(
    matches(pattern, 'ada', () => ['ada']),
    false,
  )
})

test('wildcard: agrees with a regular expression on every small pattern', () => {
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 })
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, text, (source, given) => {
      const expression = new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`)
      assert.equal(fits(source, given), expression.test(given))
    }),
    { numRuns: 3000 },
  )
})

test('wildcard: hostile patterns cost no more than their length times that of the text', () => {
  // A backtracking matcher would not come to an end here.
  const text = `${'a'.repeat(4000)}c`
  assert.equal(fits(`${'*a'.repeat(3000)}b`, text), false)
  assert.equal(fits(`${'*a?'.repeat(1000)}*b`, text), false)
  assert.equal(fits(`${'a*'.repeat(2000)}c`, text), true)
})
