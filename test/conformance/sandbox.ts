/** One suite for every sandbox driver: each promise of src/data-plane/sandbox/port.ts as a test. */
import { after, before, describe, it } from 'node:test'

import { besideCases } from './sandbox-beside.ts'
import { blankCases } from './sandbox-blank.ts'
import { imageCases } from './sandbox-image.ts'
import { isolationCases } from './sandbox-isolation.ts'
import { lifeCases } from './sandbox-life.ts'
import { limitCases } from './sandbox-limits.ts'
import { createRig, type CreateDriver, type Rig, type SandboxCase } from './sandbox-rig.ts'
import { sharedCases } from './sandbox-shared.ts'

/**
 * `skips` names cases that this driver does not promise, each with the reason. Runs every case in a sandbox of its
 * own; the driver is shared, as it is in life.
 */
export function describeSandbox(
  name: string,
  createDriver: CreateDriver,
  skips: Readonly<Record<string, string>> = {},
): void {
  describe(name, { concurrency: false }, () => {
    let rig: Rig | undefined
    before(async () => {
      rig = await createRig(createDriver)
    })
    after(() => rig?.close())
    const cases: readonly SandboxCase[] = [
      ...lifeCases,
      ...limitCases,
      ...isolationCases,
      ...blankCases,
      ...besideCases,
      ...sharedCases,
      ...imageCases,
    ]
    for (const { behaviour, run } of cases) {
      const skip = skips[behaviour]
      it(behaviour, { skip: skip ?? false, timeout: 15_000 }, async () => {
        if (!rig) throw new Error('The driver did not start')
        await run(rig)
      })
    }
    const unknown = Object.keys(skips).filter((skip) => !cases.some(({ behaviour }) => behaviour === skip))
    if (unknown.length > 0) throw new Error(`These cases to skip do not exist: ${unknown.join(', ')}`)
  })
}
