import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { compilePolicy, compilePolicyText } from '#contracts/policy-evaluation/compile-policy.ts'
import { deniedText } from '#contracts/policy-evaluation/denied-text.ts'
import { decide, type Caller } from '#contracts/policy-evaluation/evaluate.ts'

import {
  OWN,
  RESOURCE,
  USER,
  ROLE_ARN,
  SESSION,
  ROOT,
  STRANGER,
  SNS,
  deny,
  answer,
} from '../../../test/support/policies.ts'

const effect = fc.constantFrom('Allow', 'Deny')
const statement = fc.record({
  Effect: effect,
  Action: fc.constantFrom('*', 'lambda:*', 'lambda:InvokeFunction', 's3:*', 'lambda:Get*'),
  Resource: fc.constantFrom('*', RESOURCE, 'arn:aws:s3:::*'),
  Principal: fc.constantFrom('*', { AWS: OWN }, { AWS: USER.arn }, { AWS: STRANGER.arn }, { AWS: ROLE_ARN }),
  Condition: fc.constantFrom(
    {},
    { StringEquals: { a: '1' } },
    { StringNotEquals: { a: '1' } },
    { Null: { a: 'true' } },
  ),
})
const statements = fc.array(statement, { maxLength: 4 })
const situation = fc.record({
  caller: fc.constantFrom<Caller>(USER, SESSION, ROOT, STRANGER, SNS, { kind: 'anonymous' }),
  identity: statements,
  resource: statements,
  boundary: fc.option(statements, { nil: undefined }),
  session: fc.option(statements, { nil: undefined }),
  keys: fc.constantFrom<Readonly<Record<string, readonly string[]>>>({}, { a: ['1'] }, { a: ['2'] }),
})

test('policies: whatever else they say, a deny that applies wins', () => {
  fc.assert(
    fc.property(situation, fc.constantFrom('identity', 'resource', 'boundary', 'session'), (given, where) => {
      const before = given[where] ?? []
      const isNamed = 'account' in given.caller
      // The owner has no policies of its own, and who has no account neither.
      fc.pre(where === 'resource' || (isNamed && (given.caller.kind !== 'root' || where === 'session')))
      const denial = deny({ Action: '*', Principal: '*' })
      assert.match(answer({ ...given, [where]: [...before, denial] }), /^explicit /)
    }),
  )
})

test('policies: the order of statements does not matter', () => {
  fc.assert(
    fc.property(situation, ({ identity, resource, ...rest }) => {
      const turned = { identity: identity.toReversed(), resource: resource.toReversed(), ...rest }
      assert.equal(answer(turned), answer({ identity, resource, ...rest }))
    }),
  )
})

test('policies: taking a statement that allows away never allows more', () => {
  fc.assert(
    fc.property(situation, (given) => {
      const without = given.identity.filter(({ Effect }) => Effect === 'Deny')
      if (answer({ ...given, identity: without }) === 'allowed') assert.equal(answer(given), 'allowed')
    }),
  )
})

test('policies: no document, however strange, is an error, and none without Allow allows', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const policy = compilePolicy(value)
      const request = { caller: USER, action: 'a:b', resource: '*', context: () => undefined }
      assert.equal(decide(request, { identity: [policy], resourceAccount: OWN }).allowed, false)
    }),
  )
  assert.equal(compilePolicyText('{').broken, true)
})

test('policies: a denial is told in the words of AWS', () => {
  const subject = { caller: USER.arn, action: 'lambda:InvokeFunction', resource: RESOURCE }
  const start = `User: ${USER.arn} is not authorized to perform: lambda:InvokeFunction on resource: ${RESOURCE}`
  const say = (explicit: boolean, type: 'identity-based' | 'resource-based' | 'boundary' | 'session') =>
    deniedText(subject, { allowed: false, explicit, by: type }).slice(start.length + 1)
  const none = 'allows the lambda:InvokeFunction action'
  assert.equal(say(false, 'identity-based'), `because no identity-based policy ${none}`)
  assert.equal(say(false, 'resource-based'), `because no resource-based policy ${none}`)
  assert.equal(say(false, 'boundary'), `because no permissions boundary ${none}`)
  assert.equal(say(false, 'session'), `because no session policy ${none}`)
  assert.equal(say(true, 'identity-based'), 'with an explicit deny in an identity-based policy')
  assert.equal(say(true, 'resource-based'), 'with an explicit deny in a resource-based policy')
  assert.equal(say(true, 'boundary'), 'with an explicit deny in a permissions boundary')
  assert.equal(say(true, 'session'), 'with an explicit deny in a session policy')
})
