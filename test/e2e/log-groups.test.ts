/** Log groups: summaries, and tags through the old and the new operations. */
// parity: logs.ListLogGroups logs.ListTagsForResource logs.ListTagsLogGroup logs.TagLogGroup logs.TagResource
// parity: logs.UntagLogGroup logs.UntagResource logs.CreateLogGroup
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  CreateLogGroupCommand,
  ListLogGroupsCommand,
  ListTagsForResourceCommand,
  ListTagsLogGroupCommand,
  TagLogGroupCommand,
  TagResourceCommand,
  UntagLogGroupCommand,
  UntagResourceCommand,
  type CloudWatchLogsClient,
} from '@aws-sdk/client-cloudwatch-logs'

import { errorOf, logsClient } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const ARN = 'arn:aws:logs:us-east-1:000000000000:log-group:'

describe('log groups through the SDK', () => {
  let program: Program
  let logs: CloudWatchLogsClient
  before(async () => {
    program = await startProgram()
    logs = logsClient(program.endpoint)
  })
  after(() => program.stop())

  test('summaries are filtered by a pattern and paged', async () => {
    for (const name of ['/list/a', '/list/b', '/list/c', '/other']) {
      await logs.send(new CreateLogGroupCommand({ logGroupName: name }))
    }
    const list = (limit?: number, nextToken?: string) =>
      logs.send(new ListLogGroupsCommand({ logGroupNamePattern: '^/list/', limit, nextToken }))
    assert.deepEqual(
      (await list()).logGroups,
      ['/list/a', '/list/b', '/list/c'].map((logGroupName) => ({
        logGroupName,
        logGroupArn: `${ARN}${logGroupName}`,
        logGroupClass: 'STANDARD',
      })),
    )
    const first = await list(2)
    assert.deepEqual(
      first.logGroups?.map(({ logGroupName }) => logGroupName),
      ['/list/a', '/list/b'],
    )
    const second = await list(2, first.nextToken)
    assert.deepEqual(
      second.logGroups?.map(({ logGroupName }) => logGroupName),
      ['/list/c'],
    )
    assert.equal(second.nextToken, undefined)
  })

  test('both kinds of tag operations see the same tags', async () => {
    const name = '/tagged'
    await logs.send(new CreateLogGroupCommand({ logGroupName: name, tags: { from: 'creation' } }))
    const byArn = async () =>
      (await logs.send(new ListTagsForResourceCommand({ resourceArn: `${ARN}${name}` }))).tags
    const byName = async () => (await logs.send(new ListTagsLogGroupCommand({ logGroupName: name }))).tags
    const expect = async (tags: Record<string, string>) => {
      assert.deepEqual(await byArn(), tags)
      assert.deepEqual(await byName(), tags)
    }
    await expect({ from: 'creation' })
    await logs.send(new TagResourceCommand({ resourceArn: `${ARN}${name}`, tags: { a: '1', b: '2' } }))
    await logs.send(new TagLogGroupCommand({ logGroupName: name, tags: { b: '3', c: '4' } }))
    await expect({ from: 'creation', a: '1', b: '3', c: '4' })
    await logs.send(new UntagResourceCommand({ resourceArn: `${ARN}${name}`, tagKeys: ['a', 'never'] }))
    await logs.send(new UntagLogGroupCommand({ logGroupName: name, tags: ['from'] }))
    await expect({ b: '3', c: '4' })
  })

  test('a group that is not there has no tags, and fifty are enough for one', async () => {
    const missing = await errorOf(
      logs.send(new ListTagsForResourceCommand({ resourceArn: `${ARN}/nowhere` })),
    )
    assert.deepEqual([missing.name, missing.status], ['ResourceNotFoundException', 400])
    const old = await errorOf(logs.send(new ListTagsLogGroupCommand({ logGroupName: '/nowhere' })))
    assert.deepEqual(old, {
      name: 'ResourceNotFoundException',
      message: 'The specified log group does not exist.',
      status: 400,
    })
    await logs.send(new CreateLogGroupCommand({ logGroupName: '/full' }))
    const fifty = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`key-${index}`, 'x']))
    await logs.send(new TagResourceCommand({ resourceArn: `${ARN}/full`, tags: fifty }))
    const more = await errorOf(
      logs.send(new TagResourceCommand({ resourceArn: `${ARN}/full`, tags: { 'one-more': 'x' } })),
    )
    assert.deepEqual([more.name, more.status], ['TooManyTagsException', 400])
    assert.deepEqual(
      (await logs.send(new ListTagsForResourceCommand({ resourceArn: `${ARN}/full` }))).tags,
      fifty,
    )
  })
})
