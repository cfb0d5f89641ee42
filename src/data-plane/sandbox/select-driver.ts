/** Chooses the sandbox driver for this machine, and says what each of them can do here. */
import type { Logger } from '#observability/port.ts'

import { createBubblewrapDriver } from './bubblewrap/bubblewrap-driver.ts'
import { probeBubblewrap } from './bubblewrap/probe.ts'
import { detectCgroups } from './cgroup/detect.ts'
import { createOciDriver, type OciDriverOptions } from './oci/oci-driver.ts'
import { probeOci } from './oci/probe.ts'
import type { DriverName, DriverReport, SandboxDriver } from './port.ts'
import { createProcessDriver, processReport } from './process/process-driver.ts'

export interface SelectDriverOptions extends OciDriverOptions {
  /** `auto`: the strongest that runs here. */
  readonly wanted: 'auto' | DriverName
}

/**
 * Rejects when the wanted driver can't run here, with what to do about it. `auto` always finds one; without any
 * isolation it says so loudly.
 */
export async function selectDriver(options: SelectDriverOptions): Promise<SandboxDriver> {
  const { wanted, logger } = options
  if (wanted === 'oci') return createOciDriver(options)
  if (wanted === 'bubblewrap') return createBubblewrapDriver(options)
  if (wanted === 'process') return createProcessDriver(options)
  for (const create of [createOciDriver, createBubblewrapDriver]) {
    try {
      return await create(options)
    } catch (error) {
      explain(logger, error)
    }
  }
  logger.warn(
    'Functions run WITHOUT ISOLATION: as ordinary processes of this user, with all its files and networks',
  )
  return createProcessDriver(options)
}

const explain = (logger: Logger, error: unknown) =>
  logger.info('A stronger sandbox driver can not be used here', {
    reason: error instanceof Error ? error.message : String(error),
  })

/** One report per driver, strongest first; tries every one for real. */
export async function probeDrivers(
  options: { readonly runtime?: string; readonly criu?: string } = {},
): Promise<readonly DriverReport[]> {
  const [oci, bubblewrap] = await Promise.all([probeOci(options), probeBubblewrap()])
  return [oci.report, bubblewrap.report, processReport(detectCgroups())]
}
