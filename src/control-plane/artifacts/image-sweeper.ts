/**
 * Lets go of the unpacked images that no version names and no environment runs. Like packages (docs/adr/0081) they are
 * not counted: now and then, and only when something has changed, all versions are looked through.
 */
import {
  imageKeyOf,
  type FunctionHead,
  type FunctionVersion,
  type PublishedVersion,
} from '#contracts/function.ts'
import { ALL_FUNCTIONS, ALL_VERSIONS } from '#contracts/keys.ts'
import type { ImageKey, Images } from '#images/port.ts'
import { sleep, type Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import type { Meta, MetaChange } from '#store/port.ts'

export interface ImageSweeper extends Component {
  /** One sweep, now. Sweeps take turns. Rejects when the store fails, or with the reason of the stop. */
  sweep(): Promise<void>
}

const PAGE = 100
/** Between two pages, so that nobody else notices. */
const PAUSE_MS = 25
const FIRST_SWEEP_MS = 5 * MINUTE_MS
const BETWEEN_SWEEPS_MS = 60 * MINUTE_MS
const ROUNDS = 2

export function createImageSweeper(options: {
  readonly meta: Meta
  readonly images: Pick<Images, 'sweep'>
  /** Images of environments that run, whatever has become of their versions. */
  readonly running: () => readonly ImageKey[]
  readonly clock: Clock
  readonly logger: Logger
}): ImageSweeper {
  const { meta, images, running, clock, logger } = options
  const stopping = new AbortController()
  /** Sweeps that may find something: the one after a change may come within the time of grace, the next one not. */
  let rounds = ROUNDS
  let turn: Promise<void> = Promise.resolve()
  let stopWatching: (() => void) | undefined
  let disarm = () => {}

  const onChanges = (changes: readonly MetaChange[]) => {
    if (changes.some(({ key }) => key.startsWith(ALL_FUNCTIONS) || key.startsWith(ALL_VERSIONS)))
      rounds = ROUNDS
  }

  const run = async () => {
    const inUse = new Map<string, ImageKey>()
    const keep = (key: ImageKey) => inUse.set(`${key.architecture} ${key.resolvedUri}`, key)
    for (const prefix of [ALL_FUNCTIONS, ALL_VERSIONS]) {
      for (let after = ''; ;) {
        const rows = await meta.list(prefix, after, PAGE)
        for (const { doc } of rows) for (const key of imagesOf(doc as unknown as Kept)) keep(key)
        after = rows.at(-1)?.key ?? ''
        if (rows.length < PAGE) break
        await sleep(clock, PAUSE_MS, stopping.signal)
      }
    }
    for (const key of running()) keep(key)
    await images.sweep([...inUse.values()])
  }

  const sweep = () => {
    const mine = turn.then(run)
    turn = mine.catch(() => {})
    return mine
  }

  const arm = (delayMs: number) => {
    if (stopping.signal.aborted) return
    disarm = clock.after(delayMs, () => {
      if (rounds === 0) return arm(BETWEEN_SWEEPS_MS)
      rounds--
      const done = sweep()
      void done
        .catch((error: unknown) => {
          rounds = ROUNDS
          if (!stopping.signal.aborted) logger.warn('Unused images could not be looked for', { error })
        })
        .then(() => arm(BETWEEN_SWEEPS_MS))
    })
  }
  return {
    sweep,
    async start() {
      stopWatching ??= meta.watch(await meta.rev(), onChanges)
      arm(FIRST_SWEEP_MS)
    },
    async drain() {
      disarm()
    },
    async stop() {
      disarm()
      stopping.abort(new Error('The sweeper was stopped'))
      stopWatching?.()
      stopWatching = undefined
      await turn
    },
  }
}

/** A document of a function as a whole, or of one published version. */
type Kept = FunctionHead | PublishedVersion

function imagesOf(doc: Kept): readonly ImageKey[] {
  const versions: readonly (FunctionVersion | undefined)[] =
    'latest' in doc ? [doc.latest, doc.serving] : [doc, doc.serving]
  return versions.map((version) => version && imageKeyOf(version)).filter((key) => key !== undefined)
}
