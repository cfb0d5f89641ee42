/** The steps of a mapping, and what AWS refuses on the way. Pure. */
import { LambdaError } from '#contracts/errors.ts'
import {
  isMappingInTransition,
  NEXT_MAPPING_STATE,
  type EventSourceMapping,
  type MappingState,
} from '#contracts/mapping.ts'
import { mayFollow } from '#kernel/lifecycle.ts'

import { rulesOf } from './source-rules.ts'

/** The mapping in its next state. Throws `TypeError` when the table does not list the step: a bug of ours. */
export function stepTo(mapping: EventSourceMapping, state: MappingState, now: number): EventSourceMapping {
  if (!mayFollow<MappingState>(NEXT_MAPPING_STATE, mapping.state, state)) {
    throw new TypeError(`A mapping does not go from ${mapping.state} to ${state}`)
  }
  return {
    ...mapping,
    state,
    // Every change so far is a user's; AWS has other reasons only for what it stopped itself.
    stateTransitionReason: rulesOf(mapping.source).userReason,
    modifiedAt: now,
  }
}

/** The state that the mapping is on its way to; `gone` when it is being deleted, undefined when it has arrived. */
export function goalOf({ state, enabled }: EventSourceMapping): MappingState | 'gone' | undefined {
  if (state === 'Deleting') return 'gone'
  if (!isMappingInTransition(state)) return undefined
  return enabled ? 'Enabled' : 'Disabled'
}

/** The state that a request to update leads to (recorded, and AWS's command line examples). */
export function updatingState(before: EventSourceMapping, enabled: boolean): MappingState {
  if (enabled === before.enabled) return 'Updating'
  return enabled ? 'Enabling' : 'Disabling'
}

/** Refuses a request while another one is being carried out. */
export function assertSteady({ state }: EventSourceMapping, verb: 'update' | 'delete'): void {
  if (!isMappingInTransition(state)) return
  throw new LambdaError(
    'ResourceInUseException',
    `Cannot ${verb} the event source mapping because it is in use.`,
    { status: 400 },
  )
}
