/** Actions and resources of EventBridge Scheduler. Pure. */
import { DEFAULT_GROUP, groupArn, scheduleArn } from '#contracts/scheduler.ts'
import { schedulerModel } from '#wire/models/scheduler.ts'

import { passRole } from './lambda-resources.ts'
import { accountOf, keysOf, list, members, tagKeys, text, type NeedsOf, type ServiceNeeds } from './need.ts'

const SERVICE = 'scheduler.amazonaws.com'

const tagsOf = (given: unknown) => {
  const tags = Array.isArray(given) ? given.map(members) : []
  return tagKeys(Object.fromEntries(tags.map(({ Key, Value }) => [String(Key), Value] as const)))
}

const onSchedule =
  (operation: string): NeedsOf =>
  (input, asking) => {
    const { account, region } = asking
    const group = text(input['GroupName']) ?? DEFAULT_GROUP
    const resource = scheduleArn({ account, region, group, name: text(input['Name']) ?? '*' })
    const role = members(input['Target'])['RoleArn']
    return [
      { action: `scheduler:${operation}`, resource, account },
      ...passRole(role, asking, resource, SERVICE),
    ]
  }

const onGroup =
  (operation: string): NeedsOf =>
  (input, { account, region }) => {
    const resource = groupArn({ account, region, name: text(input['Name']) ?? '*' })
    return [{ action: `scheduler:${operation}`, resource, account, keys: tagsOf(input['Tags']) }]
  }

const byArn =
  (operation: string): NeedsOf =>
  (input, { account }) => {
    const resource = text(input['ResourceArn']) ?? '*'
    const keys = { ...tagsOf(input['Tags']), ...keysOf({ 'aws:tagkeys': list(input['TagKeys']) }) }
    return [{ action: `scheduler:${operation}`, resource, account: accountOf(resource) ?? account, keys }]
  }

const onEverything =
  (operation: string): NeedsOf =>
  (_input, { account }) => [{ action: `scheduler:${operation}`, resource: '*', account }]

function needsOf(operation: string): NeedsOf {
  if (/^List(?!Tags)/.test(operation)) return onEverything(operation)
  if (/Tag|Untag/.test(operation)) return byArn(operation)
  return operation.endsWith('Group') ? onGroup(operation) : onSchedule(operation)
}

export const schedulerNeeds: ServiceNeeds = Object.fromEntries(
  Object.keys(schedulerModel.operations).map((operation) => [operation, needsOf(operation)]),
)
