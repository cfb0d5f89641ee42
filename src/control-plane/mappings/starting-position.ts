/** Where in the source a mapping begins. Pure. Texts recorded from AWS except where it says so. */
import { invalidParameter } from '#contracts/errors.ts'
import type { EventSource, EventSourceMapping } from '#contracts/mapping.ts'

import type { CreateRequest } from './mapping-request.ts'
import { rulesOf, unsupported } from './source-rules.ts'

type Position = Pick<EventSourceMapping, 'startingPosition' | 'startingPositionTimestamp'>

/** `request` has passed `assertMembers` and `assertComplete`. */
export function positionOf(source: EventSource, request: CreateRequest, now: number): Position {
  const { StartingPosition: position, StartingPositionTimestamp: timestamp } = request
  if (source.kind === 'kafka' && source.consumptionMode === 'Queue') {
    // A share group has no position (API reference); text after the pattern of the others.
    if (position !== undefined) throw unsupported('StartingPosition')
    if (timestamp !== undefined) throw unsupported('StartingPositionTimestamp')
    return {}
  }
  if (position === undefined) {
    if (timestamp !== undefined) throw invalidParameter(ONLY_WITH_TIMESTAMP)
    return {}
  }
  if (timestamp !== undefined && position !== 'AT_TIMESTAMP') throw invalidParameter(ONLY_WITH_TIMESTAMP)
  if (!rulesOf(source).startingPositions?.includes(position)) {
    const place = 'arn' in source ? source.arn : source.bootstrapServers.join(',')
    throw invalidParameter(`Unsupported starting position for arn type: ${place}`)
  }
  if (position !== 'AT_TIMESTAMP') return { startingPosition: position }
  // Seen from AWS.
  if (timestamp === undefined) throw invalidParameter('Need to specify a timestamp')
  const at = timestamp.getTime()
  if (at < 0) {
    throw invalidParameter(
      'Received Exception while reading from provided stream. class java.lang.Long can not be converted to a Timestamp',
    )
  }
  // Documented; text unverified.
  if (at > now) throw invalidParameter('StartingPositionTimestamp cannot be in the future.')
  return { startingPosition: position, startingPositionTimestamp: at }
}

const ONLY_WITH_TIMESTAMP = 'Timestamp only valid with StartingPosition AT_TIMESTAMP'
