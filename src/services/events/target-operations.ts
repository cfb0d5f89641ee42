/** Targets of a rule. */
import type {
  ListTargetsByRuleCommandInput,
  ListTargetsByRuleCommandOutput,
  PutTargetsCommandInput,
  PutTargetsCommandOutput,
  RemoveTargetsCommandInput,
  RemoveTargetsCommandOutput,
  Target,
} from '@aws-sdk/client-eventbridge'

import { busOf, ruleKey } from '#contracts/events.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { commit, pageOfAll, put, requireBus, requireRule } from './documents.ts'
import { limitExceeded, validation } from './events-errors.ts'
import { parsePath } from './json-path.ts'

/** Of a rule. */
const MAX_TARGETS = 5
const ARN = /^arn:[\d\w:\-/.*]+$/

/** Texts as clients report them unless a comment says otherwise. */
function checkTarget(target: Target): void {
  const { Id, Arn = '', Input, InputPath, InputTransformer, SqsParameters } = target
  if (!ARN.test(Arn)) {
    throw validation(`Parameter ${Arn} is not valid. Reason: Provided Arn is not in correct format.`)
  }
  if ([Input, InputPath, InputTransformer].filter((given) => given !== undefined).length > 1) {
    throw validation(`Only one of Input, InputPath, or InputTransformer must be provided for target ${Id}.`)
  }
  if (Arn.includes(':sqs:') && Arn.endsWith('.fifo') && !SqsParameters) {
    throw validation(`Parameter(s) SqsParameters must be specified for target: ${Id}.`)
  }
  // Texts unverified.
  if (Input !== undefined && !isJson(Input)) throw validation(`JSON syntax error in input for target ${Id}.`)
  const paths = [
    ...(InputPath === undefined ? [] : [InputPath]),
    ...Object.values(InputTransformer?.InputPathsMap ?? {}),
  ]
  for (const path of paths) {
    if (!parsePath(path))
      throw validation(`Parameter InputPath is not valid. Reason: Invalid JSONPath ${path}.`)
  }
  const reserved = Object.keys(InputTransformer?.InputPathsMap ?? {}).find(
    (name) => name.startsWith('AWS.') || name.startsWith('aws.'),
  )
  if (reserved !== undefined) throw validation(`InputPathsMap key ${reserved} is reserved.`)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

export function createTargetOperations(deps: {
  readonly meta: Meta
  readonly clock: Clock
}): OperationHandlers {
  const { meta, clock } = deps

  const putTargets: OperationHandler<PutTargetsCommandInput, PutTargetsCommandOutput> = async (
    { Rule = '', EventBusName, Targets = [] },
    context,
  ) => {
    const bus = busOf(EventBusName, context)
    await requireBus(meta, clock, bus)
    return await commit(meta, async () => {
      const { doc, rev } = await requireRule(meta, bus, bus.name, Rule)
      Targets.forEach(checkTarget)
      const targets = new Map(doc.targets.map((target) => [target.Id, target]))
      for (const target of Targets) targets.set(target.Id, target)
      if (targets.size > MAX_TARGETS) {
        throw limitExceeded('The requested resource exceeds the maximum number allowed.')
      }
      const next = { ...doc, targets: [...targets.values()] }
      const result = { FailedEntryCount: 0, FailedEntries: [] } as unknown as PutTargetsCommandOutput
      return { writes: [put(ruleKey(bus, bus.name, Rule), next, rev)], result }
    })
  }

  const removeTargets: OperationHandler<RemoveTargetsCommandInput, RemoveTargetsCommandOutput> = async (
    { Rule = '', EventBusName, Ids = [] },
    context,
  ) => {
    const bus = busOf(EventBusName, context)
    await requireBus(meta, clock, bus)
    return await commit(meta, async () => {
      const { doc, rev } = await requireRule(meta, bus, bus.name, Rule)
      const next = { ...doc, targets: doc.targets.filter(({ Id }) => !Ids.includes(Id ?? '')) }
      const result = { FailedEntryCount: 0, FailedEntries: [] } as unknown as RemoveTargetsCommandOutput
      return { writes: [put(ruleKey(bus, bus.name, Rule), next, rev)], result }
    })
  }

  const list: OperationHandler<ListTargetsByRuleCommandInput, ListTargetsByRuleCommandOutput> = async (
    input,
    context,
  ) => {
    const bus = busOf(input.EventBusName, context)
    await requireBus(meta, clock, bus)
    const { doc } = await requireRule(meta, bus, bus.name, input.Rule ?? '')
    const { items, next } = pageOfAll(doc.targets, input)
    return { Targets: [...items], ...next } as ListTargetsByRuleCommandOutput
  }

  return { PutTargets: putTargets, RemoveTargets: removeTargets, ListTargetsByRule: list }
}
