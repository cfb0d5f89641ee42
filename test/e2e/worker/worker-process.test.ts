import { createProcessDriver } from '#data-plane/sandbox/process/process-driver.ts'
import { systemClock } from '#kernel/clock.ts'

import { describeWorker } from './worker-cases.ts'

describeWorker('process', (stateDirectory, logger) =>
  createProcessDriver({ stateDirectory, clock: systemClock, logger }),
)
