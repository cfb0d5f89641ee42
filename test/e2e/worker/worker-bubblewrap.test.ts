import { selectDriver } from '#data-plane/sandbox/select-driver.ts'
import { systemClock } from '#kernel/clock.ts'

import { describeWorker } from './worker-cases.ts'

describeWorker('bubblewrap', (stateDirectory, logger) =>
  selectDriver({ wanted: 'bubblewrap', stateDirectory, clock: systemClock, logger }),
)
