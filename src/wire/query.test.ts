import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { LambdaError } from '#contracts/errors.ts'
import { iamModel } from '#wire/models/iam.ts'
import { createQuery } from '#wire/query.ts'

const protocol = createQuery(iamModel)
const head = (query = '') => ({ method: 'POST', path: '/', query, headers: {} })
const bytes = (text: string) => new TextEncoder().encode(text)

/** Routed and read, as the door does it. */
function read(body: string, query = '') {
  const route = protocol.route(head(query), bytes(body))
  assert.ok(route)
  return { operation: route.operation, input: protocol.read(route, head(query), bytes(body)) }
}

const codeOf = (run: () => unknown) => {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof LambdaError)
    return error.code
  }
  return undefined
}

test('query: lists of structures are read in the order of their numbers', () => {
  const body =
    'Action=TagRole&Version=2010-05-08&RoleName=r&Tags.member.10.Key=ten&Tags.member.10.Value=&Tags.member.2.Key=two&Tags.member.2.Value=a%2Bb+c&Tags.member.0.Key=none'
  assert.deepEqual(read(body), {
    operation: 'TagRole',
    input: {
      RoleName: 'r',
      Tags: [
        { Key: 'two', Value: 'a+b c' },
        { Key: 'ten', Value: '' },
      ],
    },
  })
})

test('query: an empty list, numbers and booleans', () => {
  assert.deepEqual(read('Action=UntagRole&RoleName=r&TagKeys=').input, { RoleName: 'r', TagKeys: [] })
  const policies = read('Action=ListPolicies&MaxItems=7&OnlyAttached=true').input
  assert.deepEqual(policies, { MaxItems: 7, OnlyAttached: true })
  assert.equal(
    codeOf(() => read('Action=ListPolicies&OnlyAttached=maybe')),
    'MalformedInput',
  )
})

test('query: parameters may stand in the query of the URL', () => {
  assert.deepEqual(read('', 'Action=GetRole&Version=2010-05-08&RoleName=r'), {
    operation: 'GetRole',
    input: { RoleName: 'r' },
  })
  assert.equal(protocol.knows('/', 'Action=GetRole&Version=2010-05-08'), true)
  assert.equal(protocol.knows('/', 'Version=2011-06-15&Action=GetRole'), false)
})

test('query: the operation is not known before the body is', () => {
  assert.equal(protocol.route(head()), undefined)
})

test('query: whatever a client sends is read or refused as its mistake', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ maxLength: 30 }), fc.string({ maxLength: 30 })), { maxLength: 20 }),
      fc.constantFrom('GetRole', 'TagRole', 'ListRoles', ''),
      (pairs, action) => {
        const body = [`Action=${action}`, ...pairs.map(([name, value]) => `${name}=${value}`)].join('&')
        try {
          read(body)
        } catch (error) {
          assert.ok(error instanceof LambdaError)
          assert.ok((error.status ?? 400) < 500)
        }
      },
    ),
    { numRuns: 300 },
  )
})

test('query: any text leaves as well-formed XML and holds no markup of its own', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
      const { body } = protocol.write('GetRole', { Role: { Description: text } }, 'id')
      const inside = /<Description>(.*)<\/Description>/su.exec(String(body))?.[1] ?? ''
      assert.ok(!/[<>"\r]|&(?!(?:amp|lt|gt|quot|#xD);)/.test(inside))
    }),
    { numRuns: 100 },
  )
})

test('query: an answer without members still names its operation', () => {
  assert.equal(
    protocol.write('DeleteRole', {}, 'id').body,
    '<DeleteRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteRoleResponse>\n',
  )
})

test('query: errors of the door have the names that this protocol knows', () => {
  const failure = (code: string, status: number) =>
    String(protocol.writeError(new LambdaError(code, 'a < b', { status }), 'id').body)
  assert.match(failure('ExpiredTokenException', 403), /<Type>Sender<\/Type><Code>ExpiredToken<\/Code>/)
  assert.match(
    failure('ServiceException', 500),
    /<Type>Receiver<\/Type><Code>InternalFailure<\/Code><Message>a &lt; b</,
  )
})
