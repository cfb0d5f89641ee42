import { test } from 'node:test'

import { probeDrivers, selectDriver } from '#data-plane/sandbox/select-driver.ts'
import { systemClock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'

import { describeImages } from './image-cases.ts'
import { describeWorker } from './worker-cases.ts'

const report = (await probeDrivers()).find(({ driver }) => driver === 'oci')
if (report?.unavailable === undefined) {
  const driver = (stateDirectory: string, logger: Logger) =>
    selectDriver({ wanted: 'oci', stateDirectory, clock: systemClock, logger })
  describeWorker('oci', driver)
  if (report?.images?.enforced) describeImages('oci', driver)
} else {
  test('worker with the oci driver', { skip: report.unavailable })
}
