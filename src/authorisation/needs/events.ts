/** Actions and resources of EventBridge. Pure. Source: "Actions, resources, and condition keys" of the service authorization reference. */
import { archiveArn, busArn, busOf, replayArn, ruleArn } from '#contracts/events.ts'
import { eventsModel } from '#wire/models/events.ts'

import { passRole } from './lambda-resources.ts'
import {
  accountOf,
  keysOf,
  list,
  members,
  tagKeys,
  text,
  type Need,
  type NeedsOf,
  type ServiceNeeds,
} from './need.ts'

const SERVICE = 'events.amazonaws.com'

const tagsOf = (given: unknown) => {
  const tags = Array.isArray(given) ? given.map(members) : []
  return tagKeys(Object.fromEntries(tags.map(({ Key, Value }) => [String(Key), Value] as const)))
}

const onBus =
  (operation: string): NeedsOf =>
  (input, asking) => {
    const bus = busOf(text(input['Name']) ?? text(input['EventBusName']), asking)
    return [
      {
        action: `events:${operation}`,
        resource: busArn(bus),
        account: bus.account,
        keys: tagsOf(input['Tags']),
      },
    ]
  }

/** Entries for one bus are asked about together; its policy may let others in. */
const putEvents: NeedsOf = (input, asking) => {
  const entries = (Array.isArray(input['Entries']) ? input['Entries'] : []).map(members)
  const byBus = Map.groupBy(entries, (entry) => busArn(busOf(text(entry['EventBusName']), asking)))
  if (byBus.size === 0) byBus.set(busArn(busOf(undefined, asking)), [])
  return [...byBus].map(([resource, some]): Need => {
    const bus = busOf(resource, asking)
    return {
      action: 'events:PutEvents',
      resource,
      account: bus.account,
      keys: keysOf({
        'events:source': some.flatMap(({ Source }) => text(Source) ?? []),
        'events:detail-type': some.flatMap(({ DetailType }) => text(DetailType) ?? []),
      }),
      policy: { kind: 'event-bus', account: bus.account, region: bus.region, name: bus.name },
    }
  })
}

const onRule =
  (operation: string): NeedsOf =>
  (input, asking) => {
    const bus = busOf(text(input['EventBusName']), asking)
    const name = text(input['Rule']) ?? text(input['Name']) ?? '*'
    const resource = ruleArn({ ...bus, bus: bus.name, name })
    const targets = (Array.isArray(input['Targets']) ? input['Targets'] : []).map(members)
    const roles = [input['RoleArn'], ...targets.map(({ RoleArn }) => RoleArn)]
    const need: Need = {
      action: `events:${operation}`,
      resource,
      account: bus.account,
      keys: tagsOf(input['Tags']),
    }
    return [need, ...roles.flatMap((role) => passRole(role, asking, resource, SERVICE))]
  }

const onArchive =
  (operation: string): NeedsOf =>
  (input, { account, region }) => {
    const named = /:archive\/(.+)$/.exec(text(input['EventSourceArn']) ?? '')?.[1]
    const resource = archiveArn({ account, region, name: text(input['ArchiveName']) ?? named ?? '*' })
    return [{ action: `events:${operation}`, resource, account }]
  }

const onReplay =
  (operation: string): NeedsOf =>
  (input, { account, region }) => {
    const resource = replayArn({ account, region, name: text(input['ReplayName']) ?? '*' })
    return [{ action: `events:${operation}`, resource, account }]
  }

const byArn =
  (operation: string): NeedsOf =>
  (input, { account }) => {
    const resource = text(input['ResourceARN']) ?? '*'
    const keys = { ...tagsOf(input['Tags']), ...keysOf({ 'aws:tagkeys': list(input['TagKeys']) }) }
    return [{ action: `events:${operation}`, resource, account: accountOf(resource) ?? account, keys }]
  }

const onEverything =
  (operation: string): NeedsOf =>
  (_input, { account }) => [{ action: `events:${operation}`, resource: '*', account }]

function needsOf(operation: string): NeedsOf {
  if (operation === 'PutEvents') return putEvents
  if (/^List(?!Tags|Targets)|^TestEventPattern$/.test(operation)) return onEverything(operation)
  if (/Tag|Untag/.test(operation)) return byArn(operation)
  if (/Rule|Targets/.test(operation)) return onRule(operation)
  if (/Archive|^StartReplay$/.test(operation)) return onArchive(operation)
  return /Replay/.test(operation) ? onReplay(operation) : onBus(operation)
}

export const eventsNeeds: ServiceNeeds = Object.fromEntries(
  Object.keys(eventsModel.operations).map((operation) => [operation, needsOf(operation)]),
)
