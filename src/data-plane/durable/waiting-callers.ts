/** Callers of synchronous invocations, who wait for the end of an execution. */
import type { ExecutionRef } from '#contracts/durable.ts'
import { serviceFailure } from '#contracts/errors.ts'
import { arnOf } from '#data-plane/durable/execution.ts'
import type { ExecutionStore } from '#data-plane/durable/execution-store.ts'
import type { ExecutionOutcome } from '#data-plane/durable/port.ts'
import { NoSuchExecution } from '#data-plane/durable/sessions.ts'

export interface WaitingCallers {
  /** Resolves when the execution has ended. Rejects with the signal's reason; the execution goes on. */
  outcome(ref: ExecutionRef, signal: AbortSignal | undefined): Promise<ExecutionOutcome>
  /** Tells those who wait for this execution that it has ended. */
  ended(id: string): void
  /** Nobody is told of an end any more: those who wait are refused. */
  stop(): void
}

export function createWaitingCallers(store: Pick<ExecutionStore, 'summary'>): WaitingCallers {
  const waiting = new Map<string, Set<() => void>>()

  /** The outcome as it is stored, if there is one. */
  const stored = async (ref: ExecutionRef): Promise<ExecutionOutcome | undefined> => {
    const found = await store.summary(ref)
    if (!found) throw new NoSuchExecution()
    const { head, root } = found
    if (head.status === 'RUNNING') return undefined
    return {
      arn: arnOf(head),
      version: head.version,
      status: head.status,
      ...(root.result !== undefined && { result: root.result }),
      ...(root.error !== undefined && { error: root.error }),
    }
  }

  return {
    async outcome(ref, signal) {
      const ended = Promise.withResolvers<void>()
      // Nobody awaits it when the first look finds the end.
      ended.promise.catch(() => {})
      const others = waiting.get(ref.id) ?? new Set()
      waiting.set(ref.id, others.add(ended.resolve))
      const abort = () => ended.reject(signal?.reason)
      signal?.addEventListener('abort', abort, { once: true })
      try {
        signal?.throwIfAborted()
        // Listening first, then looking: an end in between is not missed.
        const before = await stored(ref)
        if (before) return before
        await ended.promise
        const after = await stored(ref)
        if (!after)
          throw serviceFailure('The program is stopping; the execution goes on after its next start')
        return after
      } finally {
        signal?.removeEventListener('abort', abort)
        others.delete(ended.resolve)
        if (others.size === 0 && waiting.get(ref.id) === others) waiting.delete(ref.id)
      }
    },
    ended(id) {
      for (const tell of waiting.get(id) ?? []) tell()
    },
    stop() {
      for (const tellers of waiting.values()) for (const tell of tellers) tell()
    },
  }
}
