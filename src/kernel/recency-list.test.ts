import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createRecencyList, type RecencyLinks } from '#kernel/recency-list.ts'

interface Member extends RecencyLinks<Member> {
  readonly name: string
}
const member = (name: string): Member => ({ name, newer: undefined, older: undefined })

const order = (list: { readonly oldest: Member | undefined }) => {
  const names: string[] = []
  for (let at = list.oldest; at; at = at.newer) names.push(at.name)
  return names.join('')
}

test('recency list: the member touched last is the newest', () => {
  const list = createRecencyList<Member>()
  const [a, b, c] = [member('a'), member('b'), member('c')]
  for (const each of [a, b, c]) list.touch(each)
  assert.equal(order(list), 'abc')
  list.touch(a)
  assert.equal(order(list), 'bca')
  list.touch(a)
  assert.equal(order(list), 'bca')
  list.touch(c)
  assert.equal(order(list), 'bac')
  assert.equal(list.newest?.name, 'c')
})

test('recency list: members leave from the ends and from the middle', () => {
  const list = createRecencyList<Member>()
  const [a, b, c] = [member('a'), member('b'), member('c')]
  for (const each of [a, b, c]) list.touch(each)
  list.remove(b)
  assert.equal(order(list), 'ac')
  list.remove(b)
  list.remove(a)
  assert.equal(order(list), 'c')
  list.remove(c)
  assert.equal(order(list), '')
  assert.equal(list.newest, undefined)
  list.touch(b)
  assert.equal(order(list), 'b')
})

test('recency list: removing a stranger changes nothing', () => {
  const list = createRecencyList<Member>()
  const a = member('a')
  list.touch(a)
  list.remove(member('x'))
  assert.equal(order(list), 'a')
})
