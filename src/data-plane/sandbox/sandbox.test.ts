import { createServer, type Server } from 'node:http'
import { after, before } from 'node:test'

import { systemClock } from '#kernel/clock.ts'

import { describeSandbox } from '../../../test/conformance/sandbox.ts'
import type { DriverName } from './port.ts'
import { probeDrivers, selectDriver } from './select-driver.ts'

const silent = () => {}
const logger = { debug: silent, info: silent, warn: silent, error: silent }
const ENDPOINT_PORT = 45_661

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
  },
}

let endpoint: Server | undefined
before(async () => {
  endpoint = createServer((_, response) => response.end('endpoint'))
  await new Promise<void>((resolve) => endpoint?.listen(ENDPOINT_PORT, '127.0.0.1', resolve))
})
after(() => endpoint?.close())

for (const report of await probeDrivers()) {
  if (report.unavailable !== undefined) continue
  describeSandbox(
    `sandbox: ${report.driver}`,
    (stateDirectory) =>
      selectDriver({
        wanted: report.driver,
        stateDirectory,
        clock: systemClock,
        logger,
        endpointPorts: () => [ENDPOINT_PORT],
      }),
    SKIPS[report.driver],
  )
}
