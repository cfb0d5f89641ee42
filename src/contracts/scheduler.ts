/** Schedules and their groups as the store keeps them: documents of EventBridge Scheduler. */
import type { Target } from '@aws-sdk/client-scheduler'

import { partitionOf, type Scope } from './arn.ts'

export const DEFAULT_GROUP = 'default'

export interface ScheduleGroup extends Scope {
  readonly name: string
  readonly state: 'ACTIVE' | 'DELETING'
  readonly createdAt: number
  readonly modifiedAt: number
  readonly tags: Readonly<Record<string, string>>
}

export interface Schedule extends Scope {
  readonly group: string
  readonly name: string
  readonly expression: string
  readonly timezone: string
  readonly startAt?: number
  readonly endAt?: number
  readonly description?: string
  readonly state: 'ENABLED' | 'DISABLED'
  readonly kmsKeyArn?: string
  readonly target: Target
  /** Undefined: no window. */
  readonly windowMinutes?: number
  readonly actionAfterCompletion: 'NONE' | 'DELETE'
  readonly createdAt: number
  readonly modifiedAt: number
  /** Times up to this are not its any more: when it was made, changed or enabled. */
  readonly from: number
  /** Of the request that made it, with a digest of that request. */
  readonly token?: { readonly value: string; readonly digest: string }
}

const place = ({ account, region }: Scope) => `${account}/${region}`
const base = ({ account, region }: Scope) => `arn:${partitionOf(region)}:scheduler:${region}:${account}`

export const groupArn = (group: Scope & { readonly name: string }) =>
  `${base(group)}:schedule-group/${group.name}`
export const scheduleArn = (schedule: Scope & { readonly group: string; readonly name: string }) =>
  `${base(schedule)}:schedule/${schedule.group}/${schedule.name}`

export const groupPrefix = (where: Scope) => `scheduler-group/${place(where)}/`
export const groupKey = (where: Scope, name: string) => `${groupPrefix(where)}${name}`
export const ALL_SCHEDULES = 'scheduler-schedule/'
export const schedulesPrefix = (where: Scope) => `${ALL_SCHEDULES}${place(where)}/`
export const schedulePrefix = (where: Scope, group: string) => `${schedulesPrefix(where)}${group}/`
export const scheduleKey = (where: Scope, group: string, name: string) =>
  `${schedulePrefix(where, group)}${name}`
/** Until when the times of a schedule have been seen to: `{ through }`. */
export const scheduleFiredKey = (key: string) => `scheduler-fired/${key.slice(ALL_SCHEDULES.length)}`
