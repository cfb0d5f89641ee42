/** One step at a time for each execution, with its state in memory only while somebody works on it. */
import { LambdaError } from '#contracts/errors.ts'
import type { ExecutionRef } from '#contracts/durable.ts'
import { openDraft, type Draft, type Execution } from '#data-plane/durable/execution.ts'
import { ExecutionChanged, type ExecutionStore, type Loaded } from '#data-plane/durable/execution-store.ts'
import type { Clock } from '#kernel/clock.ts'

const MAX_ATTEMPTS = 5

/** Text as official testing libraries have it. */
export class NoSuchExecution extends LambdaError {
  constructor() {
    super('ResourceNotFoundException', 'Durable Execution does not exist', { status: 404 })
  }
}

interface Session {
  lane: Promise<unknown>
  users: number
  loaded: Loaded | undefined
}

export interface Sessions {
  /**
   * Runs `prepare` on a draft of the execution when all earlier steps of it have ended. What it returns says whether the
   * draft is written; `view` then gets the execution as it is stored. `prepare` may run again when the store was changed
   * by somebody else. Rejects with what `prepare` throws, with nothing written.
   */
  step<Result>(
    ref: ExecutionRef,
    prepare: (draft: Draft, before: Execution) => Prepared | Promise<Prepared>,
    view: (after: Execution) => Result,
  ): Promise<Result>
  /** Keeps the state in memory until the returned function is called. */
  keep(ref: ExecutionRef): () => void
  readonly size: number
}

/** `write`: store the draft. `others`: executions that begin in the same transaction. */
export interface Prepared {
  readonly write: boolean
  readonly others?: readonly Draft[]
}

export function createSessions(options: {
  readonly store: ExecutionStore
  readonly clock: Pick<Clock, 'now'>
  /** Told after every write, before the step's own caller. */
  readonly onChange: (after: Execution) => void
}): Sessions {
  const { store, clock, onChange } = options
  const sessions = new Map<string, Session>()

  const enter = (id: string) => {
    let session = sessions.get(id)
    if (!session) sessions.set(id, (session = { lane: Promise.resolve(), users: 0, loaded: undefined }))
    session.users += 1
    return session
  }
  const leave = (id: string, session: Session) => {
    session.users -= 1
    if (session.users === 0) sessions.delete(id)
  }

  const attempt = async (
    ref: ExecutionRef,
    session: Session,
    prepare: (draft: Draft, before: Execution) => Prepared | Promise<Prepared>,
  ): Promise<Execution> => {
    for (let left = MAX_ATTEMPTS; ; left--) {
      session.loaded ??= await store.load(ref)
      const { loaded } = session
      if (!loaded) throw new NoSuchExecution()
      const draft = openDraft(loaded.execution, clock.now())
      const { write, others = [] } = await prepare(draft, loaded.execution)
      if (!write) return loaded.execution
      try {
        session.loaded = await store.commit(draft, loaded.rev, others)
        onChange(session.loaded.execution)
        for (const other of others) onChange(other)
        return session.loaded.execution
      } catch (error) {
        // After any failure only the store knows what is true.
        session.loaded = undefined
        if (!(error instanceof ExecutionChanged) || left <= 1) throw error
      }
    }
  }

  return {
    async step(ref, prepare, view) {
      const session = enter(ref.id)
      const turn = session.lane.then(async () => view(await attempt(ref, session, prepare)))
      session.lane = turn.catch(() => {})
      try {
        return await turn
      } finally {
        leave(ref.id, session)
      }
    },
    keep(ref) {
      const session = enter(ref.id)
      let kept = true
      return () => {
        if (kept) leave(ref.id, session)
        kept = false
      }
    },
    get size() {
      return sessions.size
    },
  }
}
