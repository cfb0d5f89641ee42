/** What is said of a provisioned concurrency configuration, from what placement really has. Pure. */
import {
  INIT_FAILURE,
  type ProvisionedConcurrency,
  type ProvisionedConcurrencyState,
} from '#contracts/provisioned-concurrency.ts'
import type { ReadyFailure, ReadyState } from '#data-plane/placement/port.ts'

/** One version's part of a configuration. */
export interface Share {
  readonly version: string
  readonly count: number
  /** Undefined: nothing was heard of it yet. */
  readonly ready: ReadyState | undefined
}

export interface ReportInput {
  readonly config: ProvisionedConcurrency
  /** The version that the qualifier stands for first. */
  readonly shares: readonly Share[]
  /** The alias moves: the first share is what is waited for. */
  readonly isMoving: boolean
  /** These shares have been ready before: an environment that is being replaced since does not change that. */
  readonly wasReady: boolean
}

/** That the texts of failures other than an init's look like this at AWS is unverified. */
const reasonOf = ({ kind, message }: ReadyFailure) => (kind === 'init' ? INIT_FAILURE : message)

export const availableOf = ({ count, ready }: Share) => Math.min(count, ready?.ready ?? 0)
/** Attempts that follow a failure do not count before they have succeeded. */
const allocatedOf = ({ count, ready }: Share) =>
  ready === undefined ? 0 : Math.min(count, ready.ready + (ready.failure ? 0 : ready.starting))
const isThere = (share: Share) => availableOf(share) >= share.count

export function decideState(input: ReportInput): ProvisionedConcurrencyState {
  const { config, shares, isMoving, wasReady } = input
  const { account, region, name, qualifier, token } = config
  const sum = (part: (share: Share) => number) => shares.reduce((total, share) => total + part(share), 0)
  const awaited = isMoving ? shares.slice(0, 1) : shares
  const failure = awaited.find((share) => !isThere(share) && share.ready?.failure)?.ready?.failure
  const isReady = wasReady || (awaited.length > 0 && awaited.every(isThere))
  return {
    account,
    region,
    name,
    qualifier,
    token,
    version: shares[0]?.version ?? '',
    allocated: sum(allocatedOf),
    available: sum(availableOf),
    ...(failure
      ? { status: 'FAILED', reason: reasonOf(failure) }
      : { status: isReady ? 'READY' : 'IN_PROGRESS' }),
  }
}
