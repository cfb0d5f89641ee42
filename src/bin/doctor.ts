/** `lambent doctor`: what this machine can isolate and enforce, which runtimes it has, and what to do for more. */
import { resolve } from 'node:path'

import { probeDrivers } from '#data-plane/sandbox/select-driver.ts'
import type { DriverReport, Enforcement } from '#data-plane/sandbox/port.ts'
import { createRuntimeFiles } from '#data-plane/worker/runtimes/runtime-files.ts'
import { BadSetting, readSettings } from '#bin/settings.ts'

const HELP = `Usage: lambent doctor [--json] [--oci-runtime PATH] [--data DIR]

Tries every isolation driver for real and says what each enforces on this machine, what is missing, and which one
"lambent up" takes. Exit status 1 when functions would run without isolation.

Examples
  lambent doctor
  lambent doctor --json
  lambent doctor --oci-runtime runc
`

const ASPECTS: readonly (readonly [keyof DriverReport, string])[] = [
  ['filesystem', 'files of the host hidden'],
  ['network', 'network of its own'],
  ['memory', 'memory limit'],
  ['cpu', 'CPU share'],
  ['tmpSize', 'size of /tmp'],
  ['openFiles', 'open files'],
  ['processes', 'number of processes'],
  ['freeze', 'frozen while idle'],
  ['images', 'functions of container images'],
  ['snapshots', 'snapshots of functions with SnapStart'],
]

const silent = { debug() {}, info() {}, warn() {}, error() {} }

function describe(report: DriverReport, isChosen: boolean): string {
  const lines = [`${report.driver}${isChosen ? '  <- lambent up takes this one' : ''}`]
  if (report.unavailable !== undefined)
    return [...lines, `  cannot run here: ${report.unavailable}`].join('\n')
  for (const [aspect, label] of ASPECTS) {
    const value = report[aspect] as Enforcement | undefined
    if (!value) continue
    lines.push(`  ${value.enforced ? 'yes' : 'no '}  ${label}${value.enforced ? '' : `: ${value.why}`}`)
  }
  return lines.join('\n')
}

async function doctor(argv: readonly string[]): Promise<number> {
  const isJson = argv.includes('--json')
  const settings = readSettings(
    argv.filter((word) => word !== '--json'),
    process.env,
  )
  if (!settings) {
    process.stdout.write(HELP)
    return 0
  }
  const reports = await probeDrivers({ runtime: settings['oci-runtime'], criu: settings.criu })
  const chosen = reports.find((report) => report.unavailable === undefined)
  const runtimes = await createRuntimeFiles({
    runtimesDirectory: resolve(settings.data, 'runtimes'),
    logger: silent,
    path: process.env['PATH'],
    fetchOnDemand: false,
  }).list()
  if (isJson) {
    const found = runtimes.map((status) => ({
      runtime: status.runtime.identifier,
      state: status.state,
      ...(status.state === 'missing' ? { advice: status.advice } : {}),
    }))
    const answer = { node: process.version, chosen: chosen?.driver, drivers: reports, runtimes: found }
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  } else {
    process.stdout.write(`Node ${process.version}, ${process.platform}-${process.arch}\n\n`)
    for (const report of reports) process.stdout.write(`${describe(report, report === chosen)}\n\n`)
    process.stdout.write('Runtimes\n')
    for (const status of runtimes) {
      const detail =
        status.state === 'missing'
          ? status.advice
          : status.state === 'fetchable'
            ? 'fetched from npm when a function first needs it'
            : 'ready'
      process.stdout.write(`  ${status.runtime.identifier.padEnd(16)} ${detail}\n`)
    }
  }
  return chosen === undefined || chosen.driver === 'process' ? 1 : 0
}

try {
  process.exitCode = await doctor(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = error instanceof BadSetting ? 2 : 1
}
