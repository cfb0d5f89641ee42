/** Event buses: make, change, describe, list, delete; and who may put events onto them. */
import type {
  CreateEventBusCommandInput,
  CreateEventBusCommandOutput,
  DeleteEventBusCommandInput,
  DescribeEventBusCommandInput,
  DescribeEventBusCommandOutput,
  ListEventBusesCommandInput,
  ListEventBusesCommandOutput,
  PutPermissionCommandInput,
  RemovePermissionCommandInput,
  UpdateEventBusCommandInput,
  UpdateEventBusCommandOutput,
} from '@aws-sdk/client-eventbridge'

import { accountRootArn } from '#contracts/arn.ts'
import {
  busArn,
  busKey,
  busOf,
  busPrefix,
  DEFAULT_BUS,
  rulePrefix,
  type EventBus,
} from '#contracts/events.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers, RequestContext } from '#wire/service.ts'

import { commit, docOf, pageOf, put, read, remove, requireBus } from './documents.ts'
import { busExists, limitExceeded, noSuchStatement, validation } from './events-errors.ts'
import { tagsOf } from './tag-operations.ts'

/** Of an account and region. */
const MAX_BUSES = 100

const view = (bus: EventBus) => ({
  Name: bus.name,
  Arn: busArn(bus),
  ...(bus.description !== undefined && { Description: bus.description }),
  ...(bus.policy !== undefined && { Policy: bus.policy }),
  CreationTime: new Date(bus.createdAt),
  LastModifiedTime: new Date(bus.modifiedAt),
})

type BusSettings = Pick<
  UpdateEventBusCommandInput,
  'Description' | 'KmsKeyIdentifier' | 'DeadLetterConfig' | 'LogConfig'
>
const settingsOf = ({ Description, KmsKeyIdentifier, DeadLetterConfig, LogConfig }: BusSettings) => ({
  ...(Description !== undefined && { description: Description }),
  ...(KmsKeyIdentifier !== undefined && { kmsKeyIdentifier: KmsKeyIdentifier }),
  ...(DeadLetterConfig?.Arn !== undefined && { deadLetterArn: DeadLetterConfig.Arn }),
  ...(LogConfig && { logConfig: { ...LogConfig } }),
})
const settingsView = (bus: EventBus) => ({
  ...(bus.description !== undefined && { Description: bus.description }),
  ...(bus.kmsKeyIdentifier !== undefined && { KmsKeyIdentifier: bus.kmsKeyIdentifier }),
  ...(bus.deadLetterArn !== undefined && { DeadLetterConfig: { Arn: bus.deadLetterArn } }),
  ...(bus.logConfig && { LogConfig: bus.logConfig }),
})

export function createBusOperations(deps: { readonly meta: Meta; readonly clock: Clock }): OperationHandlers {
  const { meta, clock } = deps

  const create: OperationHandler<CreateEventBusCommandInput, CreateEventBusCommandOutput> = async (
    input,
    { account, region },
  ) => {
    const name = input.Name ?? ''
    // Text unverified. Names with a slash belong to partners.
    if (name.includes('/')) throw validation(`Event source ${name} does not exist.`)
    if (name === DEFAULT_BUS) throw busExists(name)
    const where = { account, region }
    const rows = await meta.list(busPrefix(where), '', MAX_BUSES + 1)
    if (rows.length >= MAX_BUSES) {
      throw limitExceeded('The requested resource exceeds the maximum number allowed.')
    }
    const now = clock.now()
    const bus: EventBus = {
      ...where,
      name,
      createdAt: now,
      modifiedAt: now,
      ...settingsOf(input),
      tags: tagsOf(input.Tags),
    }
    if ((await meta.txn([put(busKey(where, name), bus, 0)])) === 'conflict') throw busExists(name)
    return { EventBusArn: busArn(bus), ...settingsView(bus) } as CreateEventBusCommandOutput
  }

  /** Reads the bus, changes it, writes it. */
  const change = (
    nameOrArn: string | undefined,
    context: RequestContext,
    update: (bus: EventBus) => EventBus,
  ): Promise<EventBus> =>
    commit(meta, async () => {
      const bus = await requireBus(meta, clock, busOf(nameOrArn, context))
      const doc = { ...update(bus.doc), modifiedAt: clock.now() }
      return { writes: [put(busKey(doc, doc.name), doc, bus.rev)], result: doc }
    })

  const update: OperationHandler<UpdateEventBusCommandInput, UpdateEventBusCommandOutput> = async (
    input,
    context,
  ) => {
    const bus = await change(input.Name, context, (before) => ({ ...before, ...settingsOf(input) }))
    return { Arn: busArn(bus), Name: bus.name, ...settingsView(bus) } as UpdateEventBusCommandOutput
  }

  const describe: OperationHandler<DescribeEventBusCommandInput, DescribeEventBusCommandOutput> = async (
    { Name },
    context,
  ) => {
    const { doc } = await requireBus(meta, clock, busOf(Name, context))
    return { ...view(doc), ...settingsView(doc) } as DescribeEventBusCommandOutput
  }

  const list: OperationHandler<ListEventBusesCommandInput, ListEventBusesCommandOutput> = async (
    input,
    context,
  ) => {
    await requireBus(meta, clock, busOf(undefined, context))
    const { items, next } = await pageOf(meta, busPrefix(context), input, (row) => {
      const bus = docOf<EventBus>(row)
      return bus.name.startsWith(input.NamePrefix ?? '') ? view(bus) : undefined
    })
    return { EventBuses: [...items], ...next } as ListEventBusesCommandOutput
  }

  /** One that is not there is deleted already. */
  const del: OperationHandler<DeleteEventBusCommandInput, object> = async ({ Name }, context) => {
    const { account, region, name } = busOf(Name, context)
    if (name === DEFAULT_BUS) throw validation('Cannot delete event bus default.')
    const where = { account, region }
    await commit(meta, async () => {
      const bus = await read<EventBus>(meta, busKey(where, name))
      if (!bus) return { writes: [], result: undefined }
      const [rule] = await meta.list(rulePrefix(where, name), '', 1)
      // Text unverified.
      if (rule) throw validation(`Event bus ${name} can't be deleted since it has rules.`)
      return { writes: [remove(busKey(where, name), bus.rev)], result: undefined }
    })
    return {}
  }

  const putPermission: OperationHandler<PutPermissionCommandInput, object> = async (input, context) => {
    await change(input.EventBusName, context, (bus) => ({ ...bus, policy: policyWith(bus, input) }))
    return {}
  }
  const removePermission: OperationHandler<RemovePermissionCommandInput, object> = async (input, context) => {
    await change(input.EventBusName, context, (bus) => {
      const { policy, ...rest } = bus
      if (input.RemoveAllPermissions) return rest
      const left = statementsOf(policy).filter(({ Sid }) => Sid !== input.StatementId)
      if (left.length === statementsOf(policy).length) throw noSuchStatement()
      return left.length === 0 ? rest : { ...rest, policy: policyText(left) }
    })
    return {}
  }

  return {
    CreateEventBus: create,
    UpdateEventBus: update,
    DescribeEventBus: describe,
    ListEventBuses: list,
    DeleteEventBus: del,
    PutPermission: putPermission,
    RemovePermission: removePermission,
  }
}

interface Statement {
  readonly Sid?: string
  readonly [member: string]: unknown
}

const policyText = (statements: readonly Statement[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })

function statementsOf(policy: string | undefined): readonly Statement[] {
  if (policy === undefined) return []
  const { Statement } = JSON.parse(policy) as { Statement?: Statement | readonly Statement[] }
  return Array.isArray(Statement) ? Statement : Statement ? [Statement as Statement] : []
}

/** A whole policy, or one statement more; one with the same id is replaced. */
function policyWith(bus: EventBus, input: PutPermissionCommandInput): string {
  const { Policy, StatementId, Action, Principal, Condition } = input
  if (Policy !== undefined) {
    try {
      return JSON.stringify(JSON.parse(Policy))
    } catch {
      // Text unverified.
      throw validation('This policy contains invalid Json')
    }
  }
  // Text unverified.
  if (!StatementId || !Action || !Principal) throw validation('Parameter StatementId is not valid.')
  const statement: Statement = {
    Sid: StatementId,
    Effect: 'Allow',
    Principal: Principal === '*' ? '*' : { AWS: accountRootArn(Principal, bus.region) },
    Action,
    Resource: busArn(bus),
    ...(Condition && { Condition: { [Condition.Type ?? '']: { [Condition.Key ?? '']: Condition.Value } } }),
  }
  return policyText([...statementsOf(bus.policy).filter(({ Sid }) => Sid !== StatementId), statement])
}
