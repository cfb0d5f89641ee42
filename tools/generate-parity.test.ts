import assert from 'node:assert/strict'
import { test } from 'node:test'

import { lambdaModel } from '#wire/models/lambda.ts'
import { documentedErrors } from './documented-errors.ts'
import { IMPOSSIBLE } from './impossible-errors.ts'
import { claimsOf, renderParity, statusOf } from './generate-parity.ts'

const input = {
  models: [lambdaModel],
  built: new Set(['lambda.Invoke', 'lambda.GetFunction', 'lambda.ListFunctions']),
  partial: new Map([['lambda.GetFunction', 'no code location']]),
  evidence: new Map([
    ['lambda.Invoke', ['test/e2e/invoke.test.ts']],
    ['lambda.GetFunction', ['test/e2e/get.test.ts']],
  ]),
  claimedErrors: new Map([['lambda.Invoke', new Set(['RecursiveInvocationException'])]]),
  cases: new Map([
    [
      'lambda.GetFunction',
      {
        total: 3,
        byKind: new Map([
          ['unverified', 1],
          ['recorded', 2],
        ] as const),
        unverified: new Map([['a guess', 1]]),
        errors: new Set(['ValidationException']),
      },
    ],
  ]),
  documented: new Map([
    ['lambda.GetFunction', ['InvalidParameterValueException', 'ResourceNotFoundException']],
    ['lambda.Invoke', ['ENINotReadyException', 'RecursiveInvocationException']],
  ]),
  useOf: () => 'never sent',
}

test('parity: an operation needs a handler and a test to count as implemented', () => {
  assert.equal(statusOf('lambda.Invoke', input), 'implemented')
  assert.equal(statusOf('lambda.GetFunction', input), 'partly')
  assert.equal(statusOf('lambda.ListFunctions', input), 'partly')
  assert.equal(statusOf('lambda.GetPolicy', input), 'missing')
})

test('parity: the table names every operation once, with its reason and its tests', () => {
  const text = renderParity(input)
  assert.match(text, /88 operations: 1 implemented, 2 partly, 85 missing\./)
  assert.match(text, /\| Invoke \| implemented \| 0 \|  \| 1 of 2 \| `test\/e2e\/invoke\.test\.ts` \|/)
  assert.match(
    text,
    /\| GetFunction \| partly \| 3 \| 2 recorded, 1 unverified \| 1 of 2 \| no code location; `test\/e2e\/get\.test\.ts` \|/,
  )
  assert.match(text, /\| ListFunctions \| partly \| 0 \|  \|  \| no test shows it yet \|/)
})

test('parity: documented errors that no case shows are named', () => {
  const text = renderParity(input)
  assert.match(text, /\| ResourceNotFoundException \| GetFunction \| never sent \|/)
  assert.doesNotMatch(text, /\| InvalidParameterValueException \|/)
  assert.doesNotMatch(text, /\| RecursiveInvocationException \|/)
  assert.match(text, /Of 4 pairs .* 2 are shown by a case or a test,\n1 cannot be shown .* and 1 are open/)
  assert.match(text, /\| ENINotReadyException \| the network .* \| Invoke \|/)
})

test('parity: every error that cannot be shown is documented for the operations that it names', () => {
  for (const { errors, operations } of IMPOSSIBLE) {
    for (const error of errors) {
      const documenting = Object.keys(lambdaModel.operations).filter((name) =>
        documentedErrors(name).includes(error),
      )
      assert.ok(documenting.length > 0, error)
      for (const operation of operations ?? []) assert.ok(documenting.includes(operation), operation)
    }
  }
})

test('parity: what is unverified stands at the end, with what it rests on', () => {
  assert.match(renderParity(input), /\| a guess \| 1 \| GetFunction \|/)
})

test('parity: claims are comments of their own, and mean Lambda unless they say otherwise', () => {
  const text = [
    '// parity: CreateFunction, Invoke GetFunction',
    '  // parity: logs.PutLogEvents',
    "'// parity: Not'",
    '// parity: Invoke/ENINotReadyException',
  ].join('\n')
  assert.deepEqual(claimsOf(text), [
    'lambda.CreateFunction',
    'lambda.Invoke',
    'lambda.GetFunction',
    'logs.PutLogEvents',
    'lambda.Invoke/ENINotReadyException',
  ])
})
