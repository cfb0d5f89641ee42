// An agent that is made to be killed: starts a sandbox with a guest, says so, and waits. With "sweep" it cleans up instead.
import { readdirSync, readFileSync } from 'node:fs'

import type { DriverName } from '#data-plane/sandbox/port.ts'
import { selectDriver } from '#data-plane/sandbox/select-driver.ts'
import { systemClock } from '#kernel/clock.ts'
import { systemRandom } from '#kernel/random.ts'

const [driverName = 'process', stateDirectory = '', sweep] = process.argv.slice(2)
const silent = () => {}
const driver = await selectDriver({
  wanted: driverName as DriverName,
  stateDirectory,
  clock: systemClock,
  logger: { debug: silent, info: silent, warn: silent, error: console.error },
})
if (sweep === 'sweep') {
  console.log(`swept ${await driver.sweep()}`)
  await driver.stop()
} else {
  const id = systemRandom.hex(16)
  const sandbox = await driver.create({
    id,
    files: { task: '/usr', opt: undefined, runtime: undefined, lang: undefined },
    limits: { memoryMiB: 64, vcpus: 1, tmpMiB: 16, openFiles: 256, processes: 20 },
  })
  const script = `trap '' TERM HUP INT; setsid sleep 7654321 & echo up; sleep 7654321 # ${id}`
  const guest = await sandbox.start({
    argv: ['/bin/sh', '-c', script],
    env: { PATH: '/usr/bin:/bin' },
    cwd: '/',
    control: false,
  })
  guest.stdout.once('data', () => {
    // As an idle environment would be.
    sandbox.freeze()
    console.log(JSON.stringify({ id, spawnerPid: childrenOf(process.pid)[0] }))
  })
  setInterval(() => {}, 60_000)
}

function childrenOf(pid: number): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === String(pid)
      } catch {
        return false
      }
    })
    .map(Number)
}
