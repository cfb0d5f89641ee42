import { test } from 'node:test'

import { probeDrivers, selectDriver } from '#data-plane/sandbox/select-driver.ts'
import { systemClock } from '#kernel/clock.ts'

import { describeWorker } from './worker-cases.ts'

const report = (await probeDrivers()).find(({ driver }) => driver === 'bubblewrap')
if (report?.unavailable === undefined) {
  describeWorker('bubblewrap', (stateDirectory, logger) =>
    selectDriver({ wanted: 'bubblewrap', stateDirectory, clock: systemClock, logger }),
  )
} else {
  test('worker with the bubblewrap driver', { skip: report.unavailable })
}
