/**
 * What every long-lived component offers. `drain` finishes what is in flight and takes nothing new;
 * `stop` ends now. Both may be called more than once and in any state.
 */
export interface Component {
  start(): Promise<void>
  /** Resolves when nothing is in flight any more, or when `deadlineMs` have passed, whichever is first. */
  drain(deadlineMs: number): Promise<void>
  stop(): Promise<void>
}

/** A lifecycle table: each state with the states that may follow it. */
export type TransitionTable<State extends string> = { readonly [S in State]: readonly State[] }

/** True when `table` lists the step. Whatever is not listed is refused. */
export function mayFollow<State extends string>(
  table: TransitionTable<State>,
  from: State,
  to: State,
): boolean {
  return table[from].includes(to)
}
