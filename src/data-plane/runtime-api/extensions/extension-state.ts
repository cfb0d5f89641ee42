/** An extension as its API sees it: which call may follow which. Names are those of AWS's own refusals. */
import type { TransitionTable } from '#kernel/lifecycle.ts'

/**
 * - `Started`: its process runs (external) or it has made its first call (internal); it has not registered.
 * - `Registered`: it initialises itself.
 * - `Ready`: it waits for an event.
 * - `Running`: it has one and has not asked for the next.
 * - `InitError`, `ExitError`: it reported that it can't go on; the environment is reset.
 */
export type ExtensionState = 'Started' | 'Registered' | 'Ready' | 'Running' | 'InitError' | 'ExitError'

/** What the extension itself may bring about with a call. A report may be made again; the first one counts. */
export const EXTENSION_MAY_CALL = {
  Started: ['Registered'],
  Registered: ['Ready', 'InitError', 'ExitError'],
  Ready: ['ExitError'],
  Running: ['Ready', 'ExitError'],
  InitError: ['InitError'],
  ExitError: ['ExitError'],
} as const satisfies TransitionTable<ExtensionState>
