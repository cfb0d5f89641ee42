import { systemClock } from '#kernel/clock.ts'

import { imageCases } from './sandbox-image.ts'
import { describeSandbox } from './sandbox.ts'
import type { DriverName, DriverReport } from '#data-plane/sandbox/port.ts'
import { probeDrivers, selectDriver } from '#data-plane/sandbox/select-driver.ts'

const silent = () => {}
const logger = { debug: silent, info: silent, warn: silent, error: silent }

const NO_ISOLATION = 'the process driver isolates nothing and says so in its report'
const SKIPS: Readonly<Record<DriverName, Readonly<Record<string, string>>>> = {
  oci: {},
  bubblewrap: {},
  process: {
    '/tmp has a size of its own': 'an ordinary directory of the host has no size',
    'the root is read-only, /tmp is not': NO_ISOLATION,
    'files of the host are not there': NO_ISOLATION,
    'processes of the host are not there': NO_ISOLATION,
    'the guest is an ordinary user without capabilities and can gain none': NO_ISOLATION,
    'the guest can make no namespaces and no mounts': NO_ISOLATION,
    'services on the loopback of the host are out of reach': NO_ISOLATION,
    'two sandboxes see nothing of each other': NO_ISOLATION,
    'code and layers appear under a guest that runs already':
      'nothing is mounted: the runtime client is told where the code is',
    'what appears is read-only from its first moment, and nothing of the place before can be written':
      NO_ISOLATION,
    'the directories where a linker looks for libraries of a function are there before it is known':
      'nothing is mounted: such a function gets a sandbox of its own',
    'a shared directory is made, is written by one sandbox, read and changed by another, and stays':
      'nothing is mounted: such a sandbox is refused',
    'beside a shared directory there is nothing, and it is not there for others':
      'nothing is mounted: such a sandbox is refused',
    'a network that is closed to the endpoint reaches the endpoint only': NO_ISOLATION,
    'a network that is closed altogether reaches nothing, but the Runtime API is there': NO_ISOLATION,
    '/tmp has the size of the function, for the guest that runs already':
      'an ordinary directory of the host has no size',
    'blank sandboxes see nothing of each other, also when one of them has become a function': NO_ISOLATION,
  },
}

/** Cases that need more than this machine may offer; the report says why. */
const NEEDS = {
  'peak memory is measured over the whole life of the sandbox': 'memory',
  'a fork bomb stays small and ends with its sandbox': 'processes',
  'a fork bomb of the shell can be destroyed': 'processes',
  'the CPU share holds from limitCpu on, and not for a new start': 'cpu',
  'the memory limit is that of the function, for the guest that runs already': 'memory',
  'a frozen guest stands still, goes on when thawed, and can be killed while frozen': 'freeze',
} as const

function notOffered(report: DriverReport): Readonly<Record<string, string>> {
  const needs = Object.entries(NEEDS).map(([behaviour, need]) => [behaviour, report[need]] as const)
  const { images = { enforced: false, why: 'nothing is mounted: a container image is refused' } } = report
  const ofImages = imageCases.map(({ behaviour }) => [behaviour, images] as const)
  return Object.fromEntries(
    [...needs, ...ofImages].flatMap(([behaviour, enforcement]) =>
      enforcement.enforced ? [] : [[behaviour, enforcement.why]],
    ),
  )
}

for (const report of await probeDrivers()) {
  if (report.unavailable !== undefined) continue
  describeSandbox(
    `sandbox: ${report.driver}`,
    (stateDirectory, endpointPort) =>
      selectDriver({
        wanted: report.driver,
        stateDirectory,
        clock: systemClock,
        logger,
        endpointPorts: () => [endpointPort],
      }),
    { ...SKIPS[report.driver], ...notOffered(report) },
  )
}
