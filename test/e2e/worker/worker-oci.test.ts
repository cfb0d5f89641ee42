import { selectDriver } from '#data-plane/sandbox/select-driver.ts'
import { systemClock } from '#kernel/clock.ts'

import { describeWorker } from './worker-cases.ts'

describeWorker('oci', (stateDirectory, logger) =>
  selectDriver({ wanted: 'oci', stateDirectory, clock: systemClock, logger }),
)
