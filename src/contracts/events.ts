/** Event buses, rules, archives and replays as the store keeps them: EventBridge's documents. */
import type { Target } from '@aws-sdk/client-eventbridge'

import { partitionOf, type Scope } from './arn.ts'

export const DEFAULT_BUS = 'default'

export interface EventBus extends Scope {
  readonly name: string
  readonly createdAt: number
  readonly modifiedAt: number
  readonly description?: string
  readonly kmsKeyIdentifier?: string
  readonly deadLetterArn?: string
  readonly logConfig?: { readonly IncludeDetail?: string; readonly Level?: string }
  /** Resource policy, JSON text. */
  readonly policy?: string
  readonly tags: Readonly<Record<string, string>>
}

export type RuleState = 'ENABLED' | 'DISABLED' | 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS'

export interface EventRule extends Scope {
  readonly bus: string
  readonly name: string
  readonly pattern?: string
  readonly schedule?: string
  readonly state: RuleState
  readonly description?: string
  readonly roleArn?: string
  readonly createdBy: string
  /** Times of its schedule count from here: when it was made, changed or enabled. */
  readonly scheduleFrom: number
  readonly targets: readonly Target[]
  readonly tags: Readonly<Record<string, string>>
}

export interface EventArchive extends Scope {
  readonly name: string
  readonly bus: string
  readonly createdAt: number
  readonly description?: string
  readonly pattern?: string
  readonly kmsKeyIdentifier?: string
  /** 0: for ever. */
  readonly retentionDays: number
}

/** One event in an archive; its key holds when it came in. */
export interface ArchivedEvent {
  /** The event as it is delivered, JSON text. */
  readonly event: string
}

export type ReplayState = 'STARTING' | 'RUNNING' | 'CANCELLING' | 'COMPLETED' | 'CANCELLED' | 'FAILED'

export interface EventReplay extends Scope {
  readonly name: string
  readonly description?: string
  readonly archive: string
  readonly bus: string
  /** Only these rules; all of the bus when left out. */
  readonly ruleArns?: readonly string[]
  readonly fromMs: number
  readonly toMs: number
  readonly state: ReplayState
  readonly startedAt: number
  readonly endedAt?: number
  readonly lastReplayedMs?: number
  /** Key of the event that was replayed last, so that it goes on there after a restart. */
  readonly after?: string
}

const place = ({ account, region }: Scope) => `${account}/${region}`
const base = ({ account, region }: Scope) => `arn:${partitionOf(region)}:events:${region}:${account}`

export const busArn = (bus: Scope & { readonly name: string }) => `${base(bus)}:event-bus/${bus.name}`
export const ruleArn = (rule: Scope & { readonly bus: string; readonly name: string }) =>
  `${base(rule)}:rule/${rule.bus === DEFAULT_BUS ? '' : `${rule.bus}/`}${rule.name}`
export const archiveArn = (archive: Scope & { readonly name: string }) =>
  `${base(archive)}:archive/${archive.name}`
export const replayArn = (replay: Scope & { readonly name: string }) =>
  `${base(replay)}:replay/${replay.name}`

export const busPrefix = (where: Scope) => `events-bus/${place(where)}/`
export const busKey = (where: Scope, name: string) => `${busPrefix(where)}${name}`
export const ALL_RULES = 'events-rule/'
export const rulePrefix = (where: Scope, bus: string) => `${ALL_RULES}${place(where)}/${bus}/`
export const ruleKey = (where: Scope, bus: string, name: string) => `${rulePrefix(where, bus)}${name}`
/** Until when the times of a rule's schedule have been seen to: `{ through }`. */
export const ruleFiredKey = (where: Scope, bus: string, name: string) =>
  `events-fired/${place(where)}/${bus}/${name}`
export const ALL_ARCHIVES = 'events-archive/'
export const archivePrefix = (where: Scope) => `${ALL_ARCHIVES}${place(where)}/`
export const archiveKey = (where: Scope, name: string) => `${archivePrefix(where)}${name}`
export const archivedPrefix = (where: Scope, archive: string) => `events-archived/${place(where)}/${archive}/`
/** Sorts by the time of the event; thirteen digits last until the year 2286. */
export const archivedKey = (where: Scope, archive: string, timeMs: number, id: string) =>
  `${archivedPrefix(where, archive)}${String(timeMs).padStart(13, '0')}/${id}`
export const ALL_REPLAYS = 'events-replay/'
export const replayPrefix = (where: Scope) => `${ALL_REPLAYS}${place(where)}/`
export const replayKey = (where: Scope, name: string) => `${replayPrefix(where)}${name}`

const BUS_ARN = /^arn:aws[\w-]*:events:([a-z0-9-]+):(\d{12}):event-bus\/(.+)$/

/** The bus that a name or an ARN means to somebody in `scope`. */
export function busOf(
  nameOrArn: string | undefined,
  { account, region }: Scope,
): Scope & { readonly name: string } {
  const arn = nameOrArn === undefined ? undefined : BUS_ARN.exec(nameOrArn)
  if (arn) return { region: arn[1] ?? region, account: arn[2] ?? account, name: arn[3] ?? '' }
  return { account, region, name: nameOrArn ?? DEFAULT_BUS }
}
