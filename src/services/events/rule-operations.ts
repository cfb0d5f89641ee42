/** Rules: make and change, describe, list, enable, delete. */
import type {
  DeleteRuleCommandInput,
  DescribeRuleCommandInput,
  DescribeRuleCommandOutput,
  DisableRuleCommandInput,
  EnableRuleCommandInput,
  ListRuleNamesByTargetCommandInput,
  ListRuleNamesByTargetCommandOutput,
  ListRulesCommandInput,
  ListRulesCommandOutput,
  PutRuleCommandInput,
  PutRuleCommandOutput,
} from '@aws-sdk/client-eventbridge'

import { compilePattern } from '#contracts/event-pattern/event-pattern.ts'
import { PatternError } from '#contracts/event-pattern/json-tokens.ts'
import {
  busOf,
  DEFAULT_BUS,
  ruleArn,
  ruleFiredKey,
  ruleKey,
  rulePrefix,
  type EventRule,
  type RuleState,
} from '#contracts/events.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers, RequestContext } from '#wire/service.ts'

import { parseRuleExpression } from '../schedules/expression.ts'
import { commit, docOf, pageOf, put, read, remove, requireBus, requireRule } from './documents.ts'
import { invalidPattern, limitExceeded, validation } from './events-errors.ts'
import { tagsOf } from './tag-operations.ts'

/** Of a bus. */
const MAX_RULES = 300

/** Throws InvalidEventPatternException. */
export function checkPattern(pattern: string) {
  try {
    return compilePattern(pattern)
  } catch (error) {
    if (error instanceof PatternError) throw invalidPattern(error.message)
    throw error
  }
}

const view = (rule: EventRule) => ({
  Name: rule.name,
  Arn: ruleArn(rule),
  ...(rule.pattern !== undefined && { EventPattern: rule.pattern }),
  ...(rule.schedule !== undefined && { ScheduleExpression: rule.schedule }),
  State: rule.state,
  ...(rule.description !== undefined && { Description: rule.description }),
  ...(rule.roleArn !== undefined && { RoleArn: rule.roleArn }),
  EventBusName: rule.bus,
})

export function createRuleOperations(deps: {
  readonly meta: Meta
  readonly clock: Clock
}): OperationHandlers {
  const { meta, clock } = deps

  const check = (input: PutRuleCommandInput, bus: string) => {
    const { EventPattern, ScheduleExpression } = input
    // As clients report it.
    if (!EventPattern && !ScheduleExpression) {
      throw validation('Parameter(s) EventPattern or ScheduleExpression must be specified.')
    }
    if (EventPattern) checkPattern(EventPattern)
    if (!ScheduleExpression) return
    if (bus !== DEFAULT_BUS)
      throw validation('ScheduleExpression is supported only on the default event bus.')
    // As clients report it.
    if (!parseRuleExpression(ScheduleExpression))
      throw validation('Parameter ScheduleExpression is not valid.')
  }

  const putRule: OperationHandler<PutRuleCommandInput, PutRuleCommandOutput> = async (input, context) => {
    const bus = busOf(input.EventBusName, context)
    const where = { account: bus.account, region: bus.region }
    const name = input.Name ?? ''
    check(input, bus.name)
    await requireBus(meta, clock, bus)
    const key = ruleKey(where, bus.name, name)
    const rule = await commit(meta, async () => {
      const before = await read<EventRule>(meta, key)
      if (!before && (await meta.list(rulePrefix(where, bus.name), '', MAX_RULES)).length >= MAX_RULES) {
        // As clients report it.
        throw limitExceeded('The requested resource exceeds the maximum number allowed.')
      }
      const doc: EventRule = {
        ...where,
        bus: bus.name,
        name,
        ...(input.EventPattern && { pattern: input.EventPattern }),
        ...(input.ScheduleExpression && { schedule: input.ScheduleExpression }),
        state: (input.State as RuleState | undefined) ?? 'ENABLED',
        ...(input.Description !== undefined && { description: input.Description }),
        ...(input.RoleArn !== undefined && { roleArn: input.RoleArn }),
        createdBy: before?.doc.createdBy ?? context.account,
        scheduleFrom: clock.now(),
        targets: before?.doc.targets ?? [],
        // Of a rule that is there already they are changed by TagResource alone.
        tags: before?.doc.tags ?? tagsOf(input.Tags),
      }
      return { writes: [put(key, doc, before?.rev ?? 0)], result: doc }
    })
    return { RuleArn: ruleArn(rule) } as PutRuleCommandOutput
  }

  const describe: OperationHandler<DescribeRuleCommandInput, DescribeRuleCommandOutput> = async (
    { Name = '', EventBusName },
    context,
  ) => {
    const bus = busOf(EventBusName, context)
    await requireBus(meta, clock, bus)
    const { doc } = await requireRule(meta, bus, bus.name, Name)
    return { ...view(doc), CreatedBy: doc.createdBy } as DescribeRuleCommandOutput
  }

  const list: OperationHandler<ListRulesCommandInput, ListRulesCommandOutput> = async (input, context) => {
    const bus = busOf(input.EventBusName, context)
    await requireBus(meta, clock, bus)
    const { items, next } = await pageOf(meta, rulePrefix(bus, bus.name), input, (row) => {
      const rule = docOf<EventRule>(row)
      return rule.name.startsWith(input.NamePrefix ?? '') ? view(rule) : undefined
    })
    return { Rules: [...items], ...next } as ListRulesCommandOutput
  }

  const listNames: OperationHandler<
    ListRuleNamesByTargetCommandInput,
    ListRuleNamesByTargetCommandOutput
  > = async (input, context) => {
    const bus = busOf(input.EventBusName, context)
    await requireBus(meta, clock, bus)
    const { items, next } = await pageOf(meta, rulePrefix(bus, bus.name), input, (row) => {
      const rule = docOf<EventRule>(row)
      return rule.targets.some(({ Arn }) => Arn === input.TargetArn) ? rule.name : undefined
    })
    return { RuleNames: [...items], ...next } as ListRuleNamesByTargetCommandOutput
  }

  const setState = (
    { Name = '', EventBusName }: EnableRuleCommandInput,
    context: RequestContext,
    state: RuleState,
  ) =>
    commit(meta, async () => {
      const bus = busOf(EventBusName, context)
      await requireBus(meta, clock, bus)
      const { doc, rev } = await requireRule(meta, bus, bus.name, Name)
      if (doc.state === state) return { writes: [], result: {} }
      // What fell due while it was disabled is not made up for.
      const next = { ...doc, state, ...(state === 'ENABLED' && { scheduleFrom: clock.now() }) }
      return { writes: [put(ruleKey(bus, bus.name, Name), next, rev)], result: {} }
    })
  const enable: OperationHandler<EnableRuleCommandInput, object> = (input, context) =>
    setState(input, context, 'ENABLED')
  const disable: OperationHandler<DisableRuleCommandInput, object> = (input, context) =>
    setState(input, context, 'DISABLED')

  /** One that is not there is deleted already. */
  const del: OperationHandler<DeleteRuleCommandInput, object> = ({ Name = '', EventBusName }, context) =>
    commit(meta, async () => {
      const bus = busOf(EventBusName, context)
      await requireBus(meta, clock, bus)
      const rule = await read<EventRule>(meta, ruleKey(bus, bus.name, Name))
      if (!rule) return { writes: [], result: {} }
      if (rule.doc.targets.length > 0) throw validation("Rule can't be deleted since it has targets.")
      const writes = [
        remove(ruleKey(bus, bus.name, Name), rule.rev),
        ...(rule.doc.schedule === undefined ? [] : [remove(ruleFiredKey(bus, bus.name, Name))]),
      ]
      return { writes, result: {} }
    })

  return {
    PutRule: putRule,
    DescribeRule: describe,
    ListRules: list,
    ListRuleNamesByTarget: listNames,
    EnableRule: enable,
    DisableRule: disable,
    DeleteRule: del,
  }
}
