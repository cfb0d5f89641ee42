/** What the pool should hold, kept over a restart: a file beside the unpacked code. Losing it costs a few slow starts. */
import { readFile, rename, writeFile } from 'node:fs/promises'

import type { Logger } from '#observability/port.ts'

export interface RememberedShape {
  /** Identifier of a runtime. */
  readonly runtime: string
  readonly memoryMiB: number
  readonly isRich: boolean
  /** Most that were taken in a short time, as it was when this was written. */
  readonly peak: number
}

export interface RememberedDemand {
  /** Empty when there is no such file, or it is not ours. */
  read(): Promise<readonly RememberedShape[]>
  /** Writes in the background, the latest state last, and only what has changed. */
  write(shapes: readonly RememberedShape[]): void
}

const MAX_SHAPES = 64

export function createRememberedDemand(options: {
  readonly file: string
  readonly logger: Logger
}): RememberedDemand {
  const { file, logger } = options
  let written = ''
  let wanted = ''
  let writing = false

  const work = async () => {
    writing = true
    try {
      while (written !== wanted) {
        const text = wanted
        await writeFile(`${file}.new`, text, { mode: 0o600 })
        await rename(`${file}.new`, file)
        written = text
      }
    } catch (error) {
      logger.debug('The demand for booted runtimes was not kept', { error: String(error) })
    } finally {
      writing = false
    }
  }

  return {
    async read() {
      try {
        const shapes: unknown = JSON.parse(await readFile(file, 'utf8'))
        return Array.isArray(shapes) ? shapes.filter(isShape).slice(0, MAX_SHAPES) : []
      } catch {
        return []
      }
    },
    write(shapes) {
      wanted = JSON.stringify(shapes)
      if (!writing) void work()
    },
  }
}

function isShape(value: unknown): value is RememberedShape {
  const { runtime, memoryMiB, isRich, peak } = (value ?? {}) as Partial<
    Record<keyof RememberedShape, unknown>
  >
  return (
    typeof runtime === 'string' &&
    Number.isInteger(memoryMiB) &&
    typeof isRich === 'boolean' &&
    Number.isFinite(peak)
  )
}
