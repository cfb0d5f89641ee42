/**
 * Fetches what end-to-end tests use from registries, all at once and before the tests: they run side by side, and two of
 * them must not install the same thing. What can't be had makes its tests skip with the reason, which is said here too.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { fetchCriu } from './criu.ts'
import { durableRequirements } from './durable-requirements.ts'
import { durableSdkForNode, durableSdkForPython } from './durable-sdks.ts'
import { pythonClients } from './python-clients.ts'
import { queueServerMissing } from './queue-server.ts'
import { compileRustExample } from './rust-example.ts'

/** Each gives the reason why it can't be had, as a text; anything else is good. */
const FETCHES: Readonly<Record<string, () => unknown>> = {
  'CRIU 4 or later': fetchCriu,
  'boto3 and the AWS CLI': pythonClients,
  'a queue server': queueServerMissing,
  'the durable execution SDK for JavaScript': durableSdkForNode,
  'the durable execution SDK for Python': durableSdkForPython,
  'the requirements of durable executions': durableRequirements,
  'a compiled Rust example': compileRustExample,
}

const [wanted] = process.argv.slice(2)
if (wanted === undefined) {
  // A process for each, because they block while they install.
  const ends = Object.keys(FETCHES).map(async (name) => {
    const child = spawn(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url), name], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    await once(child, 'exit')
  })
  await Promise.all(ends)
} else {
  const result = await FETCHES[wanted]?.()
  if (typeof result === 'string') process.stderr.write(`lambent setup: without ${wanted}: ${result}\n`)
}
