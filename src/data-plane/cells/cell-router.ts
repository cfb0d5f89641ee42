/**
 * The way of requests into cells. Synchronous work goes to its home cell or fails: it never crosses. Events that the
 * home cell does not take wait in the alternate one, which hands them back.
 */
import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import type { AsyncEvent } from '#contracts/event.ts'
import type { InvocationRequest } from '#contracts/invocation.ts'
import type { CellMap } from '#data-plane/cells/port.ts'
import type { EventQueues } from '#data-plane/events/port.ts'
import type { StreamingFrontend } from '#data-plane/frontend/port.ts'
import type { Metrics } from '#observability/port.ts'

/** The cell sheds load or is not there; what is wrong with the request itself is wrong everywhere. */
const isShedding = (error: unknown) =>
  error instanceof LambdaError && ((error.status ?? 0) >= 500 || error.status === 429)

export interface CellEvents extends Pick<EventQueues, 'enqueue'> {
  /** Gives an event that waited in an alternate cell to its home. Rejects as `enqueue` does. */
  forward(event: AsyncEvent): Promise<void>
}

export function createCellEvents(options: {
  readonly map: CellMap
  /** By the name of the cell. */
  readonly cells: ReadonlyMap<string, Pick<EventQueues, 'enqueue'>>
  readonly metrics?: Pick<Metrics, 'count'>
}): CellEvents {
  const { map, cells, metrics } = options
  const cellNamed = (name: string) => {
    const cell = cells.get(name)
    if (!cell) throw serviceFailure(`The cell ${name} is not there`)
    return cell
  }
  return {
    async enqueue(event) {
      const { home, alternate } = map.homeOf(event.target.account)
      try {
        await cellNamed(home).enqueue(event)
      } catch (error) {
        if (alternate === undefined || !isShedding(error)) throw error
        await cellNamed(alternate).enqueue({ ...event, homeCell: home })
        metrics?.count('lambent_cell_overflow_total')
      }
    },
    async forward(given) {
      // As it came: what the alternate has counted were its own attempts to hand it over.
      const { homeCell: _home, lastRefusal: _refusal, ...event } = given
      await cellNamed(map.homeOf(event.target.account).home).enqueue({
        ...event,
        attempts: 0,
        functionErrors: 0,
      })
    },
  }
}

export function createCellFrontend(options: {
  readonly map: CellMap
  /** By the name of the cell. */
  readonly frontends: ReadonlyMap<string, StreamingFrontend>
}): StreamingFrontend {
  const { map, frontends } = options
  /** Without a promise of its own: this is the warm path. */
  const inCell = <T>(name: string, run: (frontend: StreamingFrontend) => Promise<T>): Promise<T> => {
    const frontend = frontends.get(name)
    return frontend ? run(frontend) : Promise.reject(serviceFailure(`The cell ${name} is not there`))
  }
  const atHome = <T>({ id }: InvocationRequest, run: (frontend: StreamingFrontend) => Promise<T>) =>
    inCell(map.homeOf(id.account).home, run)
  return {
    invoke: (request) => atHome(request, (frontend) => frontend.invoke(request)),
    invokeStreaming: (request) => atHome(request, (frontend) => frontend.invokeStreaming(request)),
    dryRun: (request) => atHome(request, (frontend) => frontend.dryRun(request)),
    async enqueue(request) {
      const { home, alternate } = map.homeOf(request.id.account)
      try {
        return await inCell(home, (frontend) => frontend.enqueue(request))
      } catch (error) {
        // Shedding is dealt with behind the front end; here it is not there at all, and the other one looks after it.
        if (alternate === undefined || !isShedding(error)) throw error
        return await inCell(alternate, (frontend) => frontend.enqueue(request))
      }
    },
  }
}
