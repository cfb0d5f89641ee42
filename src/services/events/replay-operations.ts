/** Replays: start, describe, list, cancel. What they do is in the runner. */
import type {
  CancelReplayCommandInput,
  CancelReplayCommandOutput,
  DescribeReplayCommandInput,
  DescribeReplayCommandOutput,
  ListReplaysCommandInput,
  ListReplaysCommandOutput,
  StartReplayCommandInput,
  StartReplayCommandOutput,
} from '@aws-sdk/client-eventbridge'

import type { Scope } from '#contracts/arn.ts'
import {
  archiveArn,
  archiveKey,
  busArn,
  busOf,
  replayArn,
  replayKey,
  replayPrefix,
  type EventArchive,
  type EventReplay,
} from '#contracts/events.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { commit, docOf, pageOf, put, read, requireBus } from './documents.ts'
import { illegalStatus, limitExceeded, noSuchReplay, replayExists, validation } from './events-errors.ts'

/** At a time, of an account and region. */
const MAX_REPLAYS = 10
const ARCHIVE_ARN = /:archive\/(.+)$/

const isActive = ({ state }: EventReplay) => state === 'STARTING' || state === 'RUNNING'

const view = (replay: EventReplay) => ({
  ReplayName: replay.name,
  EventSourceArn: archiveArn({ ...replay, name: replay.archive }),
  State: replay.state,
  EventStartTime: new Date(replay.fromMs),
  EventEndTime: new Date(replay.toMs),
  ...(replay.lastReplayedMs !== undefined && { EventLastReplayedTime: new Date(replay.lastReplayedMs) }),
  ReplayStartTime: new Date(replay.startedAt),
  ...(replay.endedAt !== undefined && { ReplayEndTime: new Date(replay.endedAt) }),
})

export function createReplayOperations(deps: {
  readonly meta: Meta
  readonly clock: Clock
  /** Told of each replay that is to be run. */
  readonly run: (replay: EventReplay) => void
}): OperationHandlers {
  const { meta, clock, run } = deps

  const requireReplay = async (where: Scope, name: string) => {
    const replay = await read<EventReplay>(meta, replayKey(where, name))
    if (!replay) throw noSuchReplay(name)
    return replay
  }

  const start: OperationHandler<StartReplayCommandInput, StartReplayCommandOutput> = async (
    input,
    context,
  ) => {
    const where = { account: context.account, region: context.region }
    const bus = busOf(input.Destination?.Arn, context)
    await requireBus(meta, clock, bus)
    const archiveName = ARCHIVE_ARN.exec(input.EventSourceArn ?? '')?.[1] ?? ''
    const archive = await read<EventArchive>(meta, archiveKey(where, archiveName))
    if (!archive) {
      throw validation(
        `Parameter EventSourceArn is not valid. Reason: Archive ${archiveName} does not exist.`,
      )
    }
    if (archive.doc.bus !== bus.name) {
      throw validation(
        'Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.',
      )
    }
    const [fromMs, toMs] = [input.EventStartTime?.getTime() ?? 0, input.EventEndTime?.getTime() ?? 0]
    if (fromMs >= toMs) {
      throw validation(
        'Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.',
      )
    }
    const active = (await meta.list(replayPrefix(where), '', 1000)).filter((row) => isActive(docOf(row)))
    if (active.length >= MAX_REPLAYS) {
      throw limitExceeded('The requested resource exceeds the maximum number allowed.')
    }
    const filters = input.Destination?.FilterArns
    const replay: EventReplay = {
      ...where,
      name: input.ReplayName ?? '',
      ...(input.Description !== undefined && { description: input.Description }),
      archive: archiveName,
      bus: bus.name,
      ...(filters && filters.length > 0 && { ruleArns: filters }),
      fromMs,
      toMs,
      state: 'STARTING',
      startedAt: clock.now(),
    }
    const key = replayKey(where, replay.name)
    if ((await meta.txn([put(key, replay, 0)])) === 'conflict') throw replayExists(replay.name)
    run(replay)
    return {
      ReplayArn: replayArn(replay),
      State: replay.state,
      ReplayStartTime: new Date(replay.startedAt),
    } as StartReplayCommandOutput
  }

  const describe: OperationHandler<DescribeReplayCommandInput, DescribeReplayCommandOutput> = async (
    { ReplayName = '' },
    context,
  ) => {
    const { doc } = await requireReplay(context, ReplayName)
    return {
      ReplayArn: replayArn(doc),
      ...view(doc),
      ...(doc.description !== undefined && { Description: doc.description }),
      Destination: {
        Arn: busArn({ ...doc, name: doc.bus }),
        ...(doc.ruleArns && { FilterArns: doc.ruleArns }),
      },
    } as DescribeReplayCommandOutput
  }

  const list: OperationHandler<ListReplaysCommandInput, ListReplaysCommandOutput> = async (
    input,
    context,
  ) => {
    const { NamePrefix = '', EventSourceArn, State } = input
    const { items, next } = await pageOf(meta, replayPrefix(context), input, (row) => {
      const replay = docOf<EventReplay>(row)
      const isWanted =
        replay.name.startsWith(NamePrefix) &&
        (State === undefined || replay.state === State) &&
        (EventSourceArn === undefined || ARCHIVE_ARN.exec(EventSourceArn)?.[1] === replay.archive)
      return isWanted ? view(replay) : undefined
    })
    return { Replays: [...items], ...next } as ListReplaysCommandOutput
  }

  const cancel: OperationHandler<CancelReplayCommandInput, CancelReplayCommandOutput> = (
    { ReplayName = '' },
    context,
  ) =>
    commit(meta, async () => {
      const { doc, rev } = await requireReplay(context, ReplayName)
      // As clients report it.
      if (!isActive(doc))
        throw illegalStatus(`Replay ${ReplayName} is not in a valid state for this operation.`)
      const next: EventReplay = { ...doc, state: 'CANCELLING' }
      const result = { ReplayArn: replayArn(next), State: next.state } as CancelReplayCommandOutput
      return { writes: [put(replayKey(context, ReplayName), next, rev)], result }
    })

  return { StartReplay: start, DescribeReplay: describe, ListReplays: list, CancelReplay: cancel }
}
