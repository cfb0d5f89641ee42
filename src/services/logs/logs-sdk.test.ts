import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'

import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  paginateFilterLogEvents,
  PutLogEventsCommand,
  ResourceAlreadyExistsException,
  ResourceNotFoundException,
} from '@aws-sdk/client-cloudwatch-logs'

import { systemClock } from '#kernel/clock.ts'
import { systemRandom } from '#kernel/random.ts'
import { createLogsService } from '#services/logs/create-logs-service.ts'
import { createDoor } from '#wire/door.ts'
import { logsModel } from '#wire/models/logs.ts'

test("AWS's SDK writes, searches and pages through the service, and knows its errors", async () => {
  const service = createLogsService({ storage: 'memory', clock: systemClock })
  await service.start()
  const door = createDoor({
    services: [{ model: logsModel, handlers: service.handlers }],
    auth: { mode: 'off' },
    account: '000000000000',
    region: 'us-east-1',
    clock: systemClock,
    random: systemRandom,
    logger: { error: (message, fields) => assert.fail(`${message} ${JSON.stringify(fields)}`) },
  })
  const server = createServer((request, response) => door(request, response))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const client = new CloudWatchLogsClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })
  try {
    const logGroupName = '/aws/lambda/f'
    const logStreamName = '2026/11/21/[$LATEST]0123456789abcdef'
    const missing = new CreateLogStreamCommand({ logGroupName, logStreamName })
    await assert.rejects(client.send(missing), (error) => {
      assert.ok(error instanceof ResourceNotFoundException)
      assert.equal(error.message, 'The specified log group does not exist.')
      return true
    })
    await client.send(new CreateLogGroupCommand({ logGroupName, tags: { a: 'b' } }))
    await assert.rejects(
      client.send(new CreateLogGroupCommand({ logGroupName })),
      ResourceAlreadyExistsException,
    )
    await client.send(new CreateLogStreamCommand({ logGroupName, logStreamName }))
    const now = Date.now()
    const logEvents = Array.from({ length: 30 }, (_, index) => ({
      timestamp: now + index,
      message: JSON.stringify({ level: index % 3 === 0 ? 'ERROR' : 'INFO', index, text: 'größe 🙀' }),
    }))
    const put = await client.send(new PutLogEventsCommand({ logGroupName, logStreamName, logEvents }))
    assert.equal(put.rejectedLogEventsInfo, undefined)
    const found: string[] = []
    const query = { logGroupName, filterPattern: '{ $.level = "ERROR" && $.index >= 6 }', limit: 3 }
    for await (const page of paginateFilterLogEvents({ client }, query)) {
      found.push(...(page.events ?? []).map((event) => String(event.message)))
    }
    assert.deepEqual(
      found,
      logEvents.map(({ message }) => message).filter((_, index) => index % 3 === 0 && index >= 6),
    )
    await assert.rejects(client.send(new FilterLogEventsCommand({ ...query, filterPattern: '{ $.level' })), {
      name: 'InvalidParameterException',
      message: "If a filter pattern starts with '{' it must end with '}'",
    })
    const { logGroups } = await client.send(new DescribeLogGroupsCommand({}))
    assert.equal(
      logGroups?.[0]?.storedBytes,
      logEvents.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 26, 0),
    )
  } finally {
    client.destroy()
    server.close()
    server.closeAllConnections()
    await service.stop()
  }
})
