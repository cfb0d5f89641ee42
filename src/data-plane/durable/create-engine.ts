/** Moves durable executions on: invokes their functions, fires what is due, and takes up after a restart. */
import { parseFunctionReference } from '#contracts/arn.ts'
import { isDurableKey, type ExecutionRef, type OperationUpdate } from '#contracts/durable.ts'
import type { CustomerKeys } from '#contracts/customer-keys.ts'
import { LambdaError, serviceFailure, throttled } from '#contracts/errors.ts'
import type { InvocationResult } from '#contracts/invocation.ts'
import type { InvokeTarget } from '#data-plane/durable/apply-checkpoint.ts'
import { beginExecution, sameExecution, type Begin } from '#data-plane/durable/begin-execution.ts'
import {
  errorOf,
  lookUpTargets,
  mayPass,
  outcomeForParent,
  plainOutcome,
  type ResolveVersion,
} from '#data-plane/durable/chained-invokes.ts'
import { createDueTimes } from '#data-plane/durable/due-times.ts'
import {
  arnOf,
  changedAfter,
  refOf,
  rootOf,
  type Draft,
  type Execution,
  type ExecutionHead,
} from '#data-plane/durable/execution.ts'
import { createExecutionKeys } from '#data-plane/durable/execution-keys.ts'
import {
  createExecutionStore,
  ExecutionChanged,
  type ExecutionStore,
} from '#data-plane/durable/execution-store.ts'
import { settleInvocation, type Ended } from '#data-plane/durable/invocation-outcome.ts'
import type { ExecutionOutcome, StartedExecution } from '#data-plane/durable/port.ts'
import { endInvoke, nextDue, passTime, type InvokeOutcome } from '#data-plane/durable/progress.ts'
import { createSessions, NoSuchExecution, type Sessions } from '#data-plane/durable/sessions.ts'
import { invocationEvent } from '#data-plane/durable/wire-views.ts'
import { createWaitingCallers } from '#data-plane/durable/waiting-callers.ts'
import { createWorkQueue } from '#data-plane/durable/work-queue.ts'
import type { Frontend } from '#data-plane/frontend/port.ts'
import { sleep, type Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'
import { HOUR_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta } from '#store/port.ts'

/** Executions that this host keeps an eye on; more are refused as AWS refuses too many of anything. */
const MAX_RUNNING = 100_000
/** After an error of our own, such as a busy store, the same is tried again. */
const AFTER_ERROR_MS = 1000
const SWEEP_MS = HOUR_MS
/** Steps that wait for the store only. */
const CHORES = 16

export interface Engine extends Component {
  readonly store: ExecutionStore
  readonly sessions: Sessions
  /** Durable when it resolves. Throws DurableExecutionAlreadyStartedException for a name that is taken. */
  begin(begin: Begin): Promise<StartedExecution>
  /** Resolves when the execution has ended. Rejects with the signal's reason; the execution goes on. */
  outcome(ref: ExecutionRef, signal: AbortSignal | undefined): Promise<ExecutionOutcome>
  /** Looks up what the chained invokes of a checkpoint run, and prepares the executions that they start. */
  targets(
    parent: Execution,
    updates: readonly OperationUpdate[],
  ): Promise<{ readonly targets: ReadonlyMap<string, InvokeTarget>; readonly children: readonly Draft[] }>
  /** Takes up the executions of nodes that are gone. */
  takeUpLost(): Promise<void>
  /** Runs the ordinary function of a chained invoke that is stored; its end is stored in turn. */
  startPlain(parent: Execution, operationId: string): void
}

export function createEngine(options: {
  readonly meta: Meta
  /** For functions with a KMS key in their DurableConfig. */
  readonly keys: CustomerKeys
  /** Runs one invocation of a function; durable ones are nothing special to it. */
  readonly frontend: Pick<Frontend, 'invoke'>
  readonly resolve: ResolveVersion
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Invocations under way at once. */
  readonly concurrency: number
  /** The nodes that share the store; left out: this process is the only one. */
  readonly cluster?: { readonly nodeId: string; isAlive(nodeId: string): boolean }
}): Engine {
  const { meta, frontend, resolve, clock, random, logger, cluster } = options
  const store = createExecutionStore(
    meta,
    createExecutionKeys({ keys: options.keys, clock }),
    cluster?.nodeId,
  )
  const stopping = new AbortController()
  /** Everything that runs, with the time at which it needs attention. */
  const due = createDueTimes<ExecutionRef>()
  const callers = createWaitingCallers(store)
  let disarm = () => {}
  let disarmSweep = () => {}
  let stopWatching = () => {}

  const onError = (key: string, error: unknown) => {
    if (!stopping.signal.aborted) logger.error('A durable execution could not be moved on', { key, error })
  }
  // Apart, so that functions that wait for each other can't keep the engine from moving them on.
  const invocations = createWorkQueue({ concurrency: options.concurrency, onError })
  const plainInvokes = createWorkQueue({ concurrency: options.concurrency, onError })
  const chores = createWorkQueue({ concurrency: CHORES, onError })
  const closeAll = () => Promise.all([invocations, plainInvokes, chores].map((queue) => queue.close()))

  const arm = () => {
    disarm()
    const at = due.peek()
    if (at === undefined || stopping.signal.aborted) return
    disarm = clock.after(Math.max(0, at - clock.now()), () => {
      for (let ref = due.take(clock.now()); ref; ref = due.take(clock.now())) attend(ref)
      arm()
    })
  }
  const attendAt = (ref: ExecutionRef, at: number) => {
    due.set(ref.id, at, ref)
    arm()
  }

  const onChange = (execution: Execution) => {
    const { head } = execution
    const ref = refOf(execution)
    if (head.status !== 'RUNNING') {
      due.delete(head.id)
      callers.ended(head.id)
      if (head.parent) report(head.parent, outcomeForParent(head, rootOf(execution)))
      return
    }
    const idle = head.invocationId === ''
    if (idle && head.wake && (head.notBefore ?? 0) <= clock.now()) {
      invocations.add(head.id, () => invoke(ref))
      attendAt(ref, nextDue(execution))
      return
    }
    const retryAt = idle && head.wake ? head.notBefore : undefined
    attendAt(ref, Math.min(nextDue(execution), retryAt ?? Number.POSITIVE_INFINITY))
  }

  const sessions = createSessions({ store, clock, onChange })

  /** What has happened must be stored, however long our own trouble lasts. An execution that is gone has no use for it. */
  const untilStored = async (ref: ExecutionRef, prepare: (draft: Draft) => boolean): Promise<void> => {
    for (;;) {
      try {
        await sessions.step(
          ref,
          (draft) => ({ write: prepare(draft) }),
          () => {},
        )
        return
      } catch (error) {
        if (error instanceof NoSuchExecution) return
        if (stopping.signal.aborted) throw error
        logger.warn('A durable execution could not be stored', { id: ref.id, error })
        await sleep(clock, AFTER_ERROR_MS, stopping.signal)
      }
    }
  }

  /** Something of the execution is due, or it is not known what. */
  const attend = (ref: ExecutionRef) => {
    // In memory again before the step: should the step fail, it comes up once more.
    due.set(ref.id, clock.now() + AFTER_ERROR_MS, ref)
    chores.add(`${ref.id}/time`, async () => {
      const execution = await sessions
        .step(
          ref,
          (draft) => {
            passTime(draft)
            return { write: draft.changed.size > 0 }
          },
          (after) => after,
        )
        .catch((error: unknown) => {
          if (error instanceof NoSuchExecution) due.delete(ref.id)
          throw error
        })
      onChange(execution)
    })
  }

  const run = async (ref: ExecutionRef, execution: Execution, payload: Uint8Array, requestId: string) => {
    const { head } = execution
    try {
      const result: InvocationResult = await frontend.invoke({
        id: ref.function,
        qualifier: head.version,
        requestId,
        payload,
        ...(head.traceId !== undefined && { traceId: head.traceId }),
        ...(head.tenantId !== undefined && { tenantId: head.tenantId }),
        logType: 'None',
        signal: stopping.signal,
      })
      const { functionError, payload: answer } = result
      return { kind: functionError === undefined ? 'response' : 'function-error', payload: answer } as const
    } catch (error) {
      if (mayPass(error)) {
        logger.debug('A durable function could not be invoked', { execution: arnOf(head), error })
        return { kind: 'refused' } as const
      }
      return { kind: 'impossible', error: errorOf(error as LambdaError) } as const
    }
  }

  const invoke = async (ref: ExecutionRef) => {
    const release = sessions.keep(ref)
    try {
      const requestId = random.uuid()
      let news: readonly string[] = []
      const started = await sessions.step(
        ref,
        (draft) => {
          passTime(draft)
          const { head } = draft
          const wanted = head.status === 'RUNNING' && head.wake && head.invocationId === ''
          if (!wanted || (head.notBefore ?? 0) > draft.now) return { write: draft.changed.size > 0 }
          news = changedAfter(draft.operations, head.seenSequence).map(({ id }) => id)
          Object.assign(head, {
            invocationId: requestId,
            seenSequence: head.sequence,
            begunSequence: head.sequence,
            wake: false,
            notBefore: undefined,
            lastCheckpoint: undefined,
            ...(cluster && { owner: cluster.nodeId }),
          })
          return { write: true }
        },
        (after) => after,
      )
      if (started.head.invocationId !== requestId) return
      const startedAt = clock.now()
      const ended: Ended = await run(ref, started, invocationEvent(started, news), requestId)
      // A failure while everything stops says nothing: the next start finds the invocation unfinished.
      if (stopping.signal.aborted && ended.kind !== 'response') return
      await untilStored(ref, (draft) => {
        if (draft.head.invocationId !== requestId) return false
        settleInvocation(draft, { requestId, startedAt }, ended)
        return true
      })
    } catch (error) {
      attendAt(ref, clock.now() + AFTER_ERROR_MS)
      throw error
    } finally {
      release()
    }
  }

  /** Tells the parent how its chained invoke ended. Lost with the process, it is found out again at the next start. */
  const report = (parent: NonNullable<ExecutionHead['parent']>, outcome: InvokeOutcome) => {
    chores.add(`${parent.ref.id}/${parent.operationId}/end`, () =>
      untilStored(parent.ref, (draft) => {
        endInvoke(draft, parent.operationId, outcome)
        return draft.changed.size > 0
      }),
    )
  }

  const invokePlain = (parent: Execution, operationId: string) => {
    const operation = parent.operations.get(operationId)
    const target = parseFunctionReference(operation?.functionName ?? '')
    if (!operation || !target) return
    const { function: where } = parent.head
    const ref = refOf(parent)
    plainInvokes.add(`${ref.id}/${operationId}`, async () => {
      const result = await frontend
        .invoke({
          id: { ...where, name: target.name },
          qualifier: target.qualifier,
          requestId: random.uuid(),
          payload: Buffer.from(operation.input ?? '{}'),
          ...(parent.head.traceId !== undefined && { traceId: parent.head.traceId }),
          ...(operation.tenantId !== undefined && { tenantId: operation.tenantId }),
          logType: 'None',
          signal: stopping.signal,
        })
        .catch((error: unknown) =>
          error instanceof LambdaError ? error : serviceFailure('The function could not be invoked', error),
        )
      if (stopping.signal.aborted) return
      report({ ref, operationId }, plainOutcome(result))
    })
  }

  const resumeInvokes = async (execution: Execution) => {
    for (const operation of execution.operations.values()) {
      if (operation.type !== 'CHAINED_INVOKE' || operation.status !== 'STARTED') continue
      if (!operation.child) {
        invokePlain(execution, operation.id)
        continue
      }
      const child = await store.summary(operation.child)
      const link = { ref: refOf(execution), operationId: operation.id }
      if (child && child.head.status !== 'RUNNING') report(link, outcomeForParent(child.head, child.root))
    }
  }

  const takeUp = async (ref: ExecutionRef) => {
    const found = await store.head(ref)
    if (!found || found.head.status !== 'RUNNING') return
    const { head } = found
    if (cluster && head.owner !== undefined && cluster.isAlive(head.owner)) return
    if (head.invocationId === '' && head.openInvokes === 0) {
      const wakeAt = head.wake ? (head.notBefore ?? 0) : Number.POSITIVE_INFINITY
      due.set(ref.id, Math.min(head.dueAt, wakeAt), ref)
      return
    }
    due.set(ref.id, head.dueAt, ref)
    chores.add(`${ref.id}/resume`, async () => {
      const execution = await sessions.step(
        ref,
        (draft) => {
          // Another node may have been faster.
          const { owner } = draft.head
          if (cluster && owner !== undefined && cluster.isAlive(owner)) return { write: false }
          if (cluster) draft.head.owner = cluster.nodeId
          // The process that ran it is gone, and so is what it would have answered; its token is worth nothing now.
          const lost = draft.head.invocationId !== ''
          if (lost) Object.assign(draft.head, { invocationId: '', wake: true })
          passTime(draft)
          return { write: lost || cluster !== undefined || draft.changed.size > 0 }
        },
        (after) => after,
      )
      if (cluster && execution.head.owner !== cluster.nodeId) return
      onChange(execution)
      await resumeInvokes(execution)
    })
  }

  const takeUpAll = async () => {
    for (let after = ''; ;) {
      const page = await store.running(after)
      for (const ref of page) await takeUp(ref)
      const last = page.at(-1)
      if (!last) break
      after = last.id
    }
    arm()
  }
  /** What other nodes do with executions that somebody here waits for, or that are this node's. */
  const follow = async (nodeId: string) => {
    const rev = await meta.rev()
    stopWatching = meta.watch(rev, (changes) => {
      for (const { key, doc } of changes) {
        if (!isDurableKey(key) || doc === null) continue
        const { id, function: where, status, owner, wake, invocationId } = doc as unknown as ExecutionHead
        if (status !== 'RUNNING') {
          due.delete(id)
          callers.ended(id)
        } else if (owner === nodeId && wake && invocationId === '') {
          // Mostly our own doing, or done by the other node in a moment.
          attendAt({ function: where, id }, clock.now() + AFTER_ERROR_MS)
        }
      }
    })
  }

  const sweep = () => {
    chores.add('sweep', async () => {
      while ((await store.expire(clock.now())) > 0) {
        if (stopping.signal.aborted) return
      }
    })
    disarmSweep = clock.after(SWEEP_MS, sweep)
  }

  return {
    store,
    sessions,
    async begin(begin) {
      if (due.size >= MAX_RUNNING) throw throttled('ConcurrentInvocationLimitExceeded')
      const where = begin.version
      for (;;) {
        const taken = begin.name === undefined ? undefined : await store.named(where, begin.name)
        const existing = taken && (await store.head(taken))
        if (existing) return { ref: sameExecution(existing.head, begin), arn: arnOf(existing.head) }
        const draft = beginExecution(begin, clock.now(), random)
        try {
          const { execution } = await store.commit(draft, 0)
          onChange(execution)
          return { ref: refOf(execution), arn: arnOf(execution.head) }
        } catch (error) {
          // Somebody else took the name meanwhile.
          if (!(error instanceof ExecutionChanged) || begin.name === undefined) throw error
        }
      }
    },
    outcome: (ref, signal) => callers.outcome(ref, signal),
    targets: (parent, updates) => lookUpTargets(parent, updates, { resolve, clock, random }),
    startPlain: invokePlain,
    takeUpLost: takeUpAll,
    async start() {
      if (cluster) await follow(cluster.nodeId)
      await takeUpAll()
      sweep()
    },
    async drain(deadlineMs) {
      disarm()
      disarmSweep()
      const deadline = Promise.withResolvers<void>()
      const cancel = clock.after(deadlineMs, deadline.resolve)
      await Promise.race([closeAll(), deadline.promise])
      cancel()
    },
    async stop() {
      stopWatching()
      disarm()
      disarmSweep()
      if (!stopping.signal.aborted) stopping.abort(new Error('The durable executions were stopped'))
      callers.stop()
      // Nothing new is taken; what runs is not waited for, it ends with its sandbox.
      void closeAll()
    },
  }
}
