import { selectDriver } from '#data-plane/sandbox/select-driver.ts'
import { systemClock } from '#kernel/clock.ts'

import { describeWorker } from './worker-cases.ts'

describeWorker('process', (stateDirectory, logger) =>
  selectDriver({ wanted: 'process', stateDirectory, clock: systemClock, logger }),
)
