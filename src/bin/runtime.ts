/** `lambent runtime`: lists the runtimes and adds one before a function needs it. */
import { resolve } from 'node:path'

import { BadSetting, readSettings } from '#bin/settings.ts'
import { createRuntimeFiles } from '#data-plane/worker/runtimes/runtime-files.ts'
import { createLogger } from '#observability/logger.ts'

const HELP = `Usage: lambent runtime list [--json] [--data DIR]
       lambent runtime add RUNTIME [--data DIR]

Lists the runtimes this version can run and whether this machine has them; "add" fetches one ahead of time
(otherwise the first function that needs it stays Pending while it is fetched).

Examples
  lambent runtime list
  lambent runtime add nodejs22.x
  lambent runtime add nodejs20.x --data /var/lib/lambent
`

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(HELP)
    return 0
  }
  const isJson = argv.includes('--json')
  const [action, ...rest] = argv.filter((word) => word !== '--json')
  const identifier = action === 'add' ? rest.shift() : undefined
  const settings = readSettings(rest, process.env)
  if (!settings || action === undefined) {
    process.stderr.write(HELP)
    return 2
  }
  const runtimes = createRuntimeFiles({
    runtimesDirectory: resolve(settings.data, 'runtimes'),
    logger: createLogger({ level: 'info', stream: process.stderr }),
    path: process.env['PATH'],
  })
  if (action === 'add' && identifier !== undefined) {
    const interpreter = await runtimes.add(identifier)
    process.stdout.write(
      isJson
        ? `${JSON.stringify({ runtime: identifier, ...interpreter })}\n`
        : `${identifier} is ready${interpreter ? ` (${interpreter.version})` : ''}\n`,
    )
    return 0
  }
  if (action !== 'list') {
    process.stderr.write(HELP)
    return 2
  }
  const all = await runtimes.list()
  if (isJson) {
    process.stdout.write(
      `${JSON.stringify(all.map(({ runtime, ...status }) => ({ runtime: runtime.identifier, ...status })))}\n`,
    )
  } else {
    for (const status of all) {
      const detail =
        status.state === 'ready'
          ? `ready ${status.interpreter?.version ?? ''}`
          : status.state === 'missing'
            ? `missing: ${status.advice}`
            : `not here yet: lambent runtime add ${status.runtime.identifier}`
      process.stdout.write(`${status.runtime.identifier.padEnd(16)} ${detail.trimEnd()}\n`)
    }
  }
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = error instanceof BadSetting ? 2 : 1
}
