import { test } from 'node:test'

import { probeDrivers, selectDriver } from '#data-plane/sandbox/select-driver.ts'
import { systemClock } from '#kernel/clock.ts'

import { describeWorker } from './worker-cases.ts'

const report = (await probeDrivers()).find(({ driver }) => driver === 'oci')
if (report?.unavailable === undefined) {
  describeWorker('oci', (stateDirectory, logger) =>
    selectDriver({ wanted: 'oci', stateDirectory, clock: systemClock, logger }),
  )
} else {
  test('worker with the oci driver', { skip: report.unavailable })
}
