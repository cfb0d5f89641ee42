/** Schedules: make, change, get, list, delete. When they fire is in the engine. */
import { hash } from 'node:crypto'

import type {
  CreateScheduleCommandInput,
  CreateScheduleCommandOutput,
  DeleteScheduleCommandInput,
  GetScheduleCommandInput,
  GetScheduleCommandOutput,
  ListSchedulesCommandInput,
  ListSchedulesCommandOutput,
  UpdateScheduleCommandInput,
  UpdateScheduleCommandOutput,
} from '@aws-sdk/client-scheduler'

import {
  DEFAULT_GROUP,
  scheduleArn,
  scheduleFiredKey,
  scheduleKey,
  schedulePrefix,
  schedulesPrefix,
  type Schedule,
} from '#contracts/scheduler.ts'
import type { Scope } from '#contracts/arn.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { isTimezone, parseScheduleExpression } from '../schedules/expression.ts'
import { commit, docOf, pageOf, put, read, remove, requireGroup, requireSchedule } from './documents.ts'
import { badExpression, noSuchGroup, scheduleExists, validation } from './scheduler-errors.ts'
import { checkTarget } from './target-call.ts'

/** A start may be this long ago. */
const START_GRACE_MS = 5 * 60_000

type Settings = Omit<UpdateScheduleCommandInput, 'ClientToken' | 'GroupName' | 'Name'>

const view = (schedule: Schedule) => ({
  Arn: scheduleArn(schedule),
  GroupName: schedule.group,
  Name: schedule.name,
  State: schedule.state,
  CreationDate: new Date(schedule.createdAt),
  LastModificationDate: new Date(schedule.modifiedAt),
})

export function createScheduleOperations(deps: {
  readonly meta: Meta
  readonly clock: Clock
}): OperationHandlers {
  const { meta, clock } = deps

  /** What a request leaves out is set to its default, also in an update (API reference). */
  const settingsOf = (input: Settings) => {
    const { ScheduleExpression: expression = '', StartDate, EndDate, FlexibleTimeWindow, Target } = input
    const timezone = input.ScheduleExpressionTimezone ?? 'UTC'
    if (!parseScheduleExpression(expression)) throw badExpression(expression)
    // Text unverified.
    if (!isTimezone(timezone)) throw validation('Invalid ScheduleExpressionTimezone.')
    if (StartDate && StartDate.getTime() < clock.now() - START_GRACE_MS) {
      throw validation('The StartDate you specify cannot be earlier than 5 minutes ago.')
    }
    // Text unverified.
    if (StartDate && EndDate && StartDate.getTime() >= EndDate.getTime()) {
      throw validation('The EndDate you specify must come after the StartDate.')
    }
    const isFlexible = FlexibleTimeWindow?.Mode === 'FLEXIBLE'
    const minutes = FlexibleTimeWindow?.MaximumWindowInMinutes
    // Texts unverified.
    if (isFlexible && minutes === undefined) throw validation('MaximumWindowInMinutes must be specified.')
    if (!isFlexible && minutes !== undefined)
      throw validation('MaximumWindowInMinutes must not be specified.')
    checkTarget(Target ?? { Arn: undefined, RoleArn: undefined })
    return {
      expression,
      timezone,
      ...(StartDate && { startAt: StartDate.getTime() }),
      ...(EndDate && { endAt: EndDate.getTime() }),
      ...(input.Description !== undefined && { description: input.Description }),
      state: input.State ?? 'ENABLED',
      ...(input.KmsKeyArn !== undefined && { kmsKeyArn: input.KmsKeyArn }),
      target: Target ?? { Arn: undefined, RoleArn: undefined },
      ...(minutes !== undefined && { windowMinutes: minutes }),
      actionAfterCompletion: input.ActionAfterCompletion ?? 'NONE',
    } as const
  }
  const activeGroup = async (where: Scope, name: string) => {
    const { doc } = await requireGroup(meta, clock, where, name)
    if (doc.state === 'DELETING') throw noSuchGroup(name)
  }

  const create: OperationHandler<CreateScheduleCommandInput, CreateScheduleCommandOutput> = async (
    input,
    { account, region },
  ) => {
    const { ClientToken, Name = '', GroupName: group = DEFAULT_GROUP, ...settings } = input
    const where = { account, region }
    const checked = settingsOf(settings)
    await activeGroup(where, group)
    const now = clock.now()
    const digest = hash('sha256', JSON.stringify(checked), 'hex')
    const schedule: Schedule = {
      ...where,
      group,
      name: Name,
      ...checked,
      createdAt: now,
      modifiedAt: now,
      // A rate without a start is due at once.
      from: now - 1,
      ...(ClientToken !== undefined && { token: { value: ClientToken, digest } }),
    }
    const key = scheduleKey(where, group, Name)
    const writes = [put(key, schedule, 0), remove(scheduleFiredKey(key))]
    if ((await meta.txn(writes)) === 'conflict') {
      const before = await read<Schedule>(meta, key)
      const isSame =
        ClientToken !== undefined &&
        before?.doc.token?.value === ClientToken &&
        before.doc.token.digest === digest
      if (!isSame) throw scheduleExists(Name)
    }
    return { ScheduleArn: scheduleArn(schedule) } as CreateScheduleCommandOutput
  }

  const update: OperationHandler<UpdateScheduleCommandInput, UpdateScheduleCommandOutput> = async (
    { ClientToken: _token, Name = '', GroupName: group = DEFAULT_GROUP, ...settings },
    { account, region },
  ) => {
    const where = { account, region }
    const checked = settingsOf(settings)
    await activeGroup(where, group)
    return await commit(meta, async () => {
      const { doc, rev } = await requireSchedule(meta, where, group, Name)
      const { createdAt, token } = doc
      const now = clock.now()
      const next: Schedule = {
        ...where,
        group,
        name: Name,
        ...checked,
        createdAt,
        modifiedAt: now,
        from: now,
        ...(token && { token }),
      }
      const result = { ScheduleArn: scheduleArn(next) } as UpdateScheduleCommandOutput
      return { writes: [put(scheduleKey(where, group, Name), next, rev)], result }
    })
  }

  const get: OperationHandler<GetScheduleCommandInput, GetScheduleCommandOutput> = async (
    { Name = '', GroupName: group = DEFAULT_GROUP },
    context,
  ) => {
    const { doc } = await requireSchedule(meta, context, group, Name)
    return {
      ...view(doc),
      ScheduleExpression: doc.expression,
      ScheduleExpressionTimezone: doc.timezone,
      ...(doc.startAt !== undefined && { StartDate: new Date(doc.startAt) }),
      ...(doc.endAt !== undefined && { EndDate: new Date(doc.endAt) }),
      ...(doc.description !== undefined && { Description: doc.description }),
      ...(doc.kmsKeyArn !== undefined && { KmsKeyArn: doc.kmsKeyArn }),
      Target: {
        ...doc.target,
        // As AWS shows it when none was given.
        RetryPolicy: {
          MaximumEventAgeInSeconds: 86_400,
          MaximumRetryAttempts: 185,
          ...doc.target.RetryPolicy,
        },
      },
      FlexibleTimeWindow:
        doc.windowMinutes === undefined
          ? { Mode: 'OFF' }
          : { Mode: 'FLEXIBLE', MaximumWindowInMinutes: doc.windowMinutes },
      ActionAfterCompletion: doc.actionAfterCompletion,
    } as unknown as GetScheduleCommandOutput
  }

  const list: OperationHandler<ListSchedulesCommandInput, ListSchedulesCommandOutput> = async (
    input,
    context,
  ) => {
    const { GroupName, NamePrefix = '', State } = input
    if (GroupName !== undefined) await requireGroup(meta, clock, context, GroupName)
    const prefix = GroupName === undefined ? schedulesPrefix(context) : schedulePrefix(context, GroupName)
    const { items, next } = await pageOf(meta, prefix, input, (row) => {
      const schedule = docOf<Schedule>(row)
      const isWanted =
        schedule.name.startsWith(NamePrefix) && (State === undefined || schedule.state === State)
      return isWanted ? { ...view(schedule), Target: { Arn: schedule.target.Arn } } : undefined
    })
    return { Schedules: [...items], ...next } as unknown as ListSchedulesCommandOutput
  }

  const del: OperationHandler<DeleteScheduleCommandInput, object> = async (
    { Name = '', GroupName: group = DEFAULT_GROUP },
    context,
  ) => {
    const { rev } = await requireSchedule(meta, context, group, Name)
    const key = scheduleKey(context, group, Name)
    await meta.txn([remove(key, rev), remove(scheduleFiredKey(key))])
    return {}
  }

  return {
    CreateSchedule: create,
    UpdateSchedule: update,
    GetSchedule: get,
    ListSchedules: list,
    DeleteSchedule: del,
  }
}
