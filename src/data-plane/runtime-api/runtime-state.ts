/** The runtime as its API sees it: which call may follow which. Names are those of AWS's own refusals. */
import type { TransitionTable } from '#kernel/lifecycle.ts'

/**
 * - `Started`: it runs its init code and has not called anything.
 * - `InitError`: it reported that its init failed; nothing may follow.
 * - `Ready`: it waits for an invocation.
 * - `Running`: it has one and has not answered.
 * - `InvocationResponse`, `InvocationErrorResponse`: the answer's body is on its way in.
 * - `RuntimeResponseSentState`: answered; what comes now is its own affair until it asks for the next one.
 */
export type RuntimeState =
  | 'Started'
  | 'InitError'
  | 'Ready'
  | 'Running'
  | 'InvocationResponse'
  | 'InvocationErrorResponse'
  | 'RuntimeResponseSentState'

/** What the runtime itself may bring about with a call. Asking again while it runs gives it the same invocation again. */
export const RUNTIME_MAY_CALL = {
  Started: ['Ready', 'InitError'],
  InitError: [],
  Ready: ['Ready'],
  Running: ['Ready', 'InvocationResponse', 'InvocationErrorResponse'],
  InvocationResponse: [],
  InvocationErrorResponse: [],
  RuntimeResponseSentState: ['Ready'],
} as const satisfies TransitionTable<RuntimeState>
