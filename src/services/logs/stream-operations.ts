/** Log streams. */
import type {
  CreateLogStreamRequest,
  DeleteLogStreamRequest,
  DescribeLogStreamsRequest,
  DescribeLogStreamsResponse,
  LogStream,
} from '@aws-sdk/client-cloudwatch-logs'

import type { Clock } from '#kernel/clock.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { invalidRequest, invalidToken, noSuchGroup, noSuchStream, streamExists } from './log-errors.ts'
import { groupNamed, identifiedGroup, streamArn } from './log-names.ts'
import { eventId, listToken, parseListToken } from './page-token.ts'
import type { GroupKey, LogStorage, StreamRecord } from './storage/operations.ts'

const DEFAULT_ITEMS = 50

export function createStreamOperations(deps: {
  readonly storage: LogStorage
  readonly clock: Clock
}): OperationHandlers {
  const { storage, clock } = deps

  const createLogStream: OperationHandler<CreateLogStreamRequest, object> = async (input, context) => {
    const result = await storage.call('createStream', {
      group: groupNamed(context, input.logGroupName),
      name: String(input.logStreamName),
      createdAt: clock.now(),
    })
    if (result === 'no-group') throw noSuchGroup()
    if (result === 'exists') throw streamExists()
    return {}
  }

  const deleteLogStream: OperationHandler<DeleteLogStreamRequest, object> = async (input, context) => {
    const result = await storage.call('deleteStream', {
      group: groupNamed(context, input.logGroupName),
      name: String(input.logStreamName),
    })
    if (result === 'no-group') throw noSuchGroup()
    if (result === 'no-stream') throw noSuchStream()
    return {}
  }

  const describeLogStreams: OperationHandler<DescribeLogStreamsRequest, DescribeLogStreamsResponse> = async (
    input,
    context,
  ) => {
    const group = identifiedGroup(input, context)
    const order = input.orderBy === 'LastEventTime' ? 'last-event' : 'name'
    const prefix = input.logStreamNamePrefix ?? ''
    if (order === 'last-event' && prefix !== '') {
      throw invalidRequest('Cannot order by LastEventTime with a logStreamNamePrefix.')
    }
    const limit = input.limit ?? DEFAULT_ITEMS
    const streams = await storage.call('listStreams', {
      group,
      prefix,
      order,
      descending: input.descending ?? false,
      after: parsePosition(parseListToken(`streams-${order}`, input.nextToken)),
      // One more tells whether there is another page.
      limit: limit + 1,
    })
    if (!streams) throw noSuchGroup()
    const page = streams.slice(0, limit)
    const last = page.at(-1)
    return {
      logStreams: page.map((stream) => viewOf(stream, group)),
      ...(streams.length > limit &&
        last && { nextToken: listToken(`streams-${order}`, `${last.lastEventAt ?? 0} ${last.name}`) }),
    }
  }

  return {
    CreateLogStream: createLogStream,
    DeleteLogStream: deleteLogStream,
    DescribeLogStreams: describeLogStreams,
  }
}

function parsePosition(text: string | undefined) {
  if (text === undefined) return undefined
  const [, lastEventAt, name] = /^(\d{1,15}) (.+)$/s.exec(text) ?? []
  if (lastEventAt === undefined || name === undefined) throw invalidToken()
  return { lastEventAt: Number(lastEventAt), name }
}

/** Streams have stored no bytes since 2019, as far as AWS says; the other members come with the first event. */
function viewOf(stream: StreamRecord, group: GroupKey): LogStream {
  const { lastIngestedAt } = stream
  return {
    logStreamName: stream.name,
    creationTime: stream.createdAt,
    ...(lastIngestedAt !== undefined && {
      firstEventTimestamp: stream.firstEventAt,
      lastEventTimestamp: stream.lastEventAt,
      lastIngestionTime: lastIngestedAt,
      uploadSequenceToken: eventId({ timestamp: lastIngestedAt, sequence: 0 }),
    }),
    arn: streamArn(group, stream.name),
    storedBytes: 0,
  }
}
