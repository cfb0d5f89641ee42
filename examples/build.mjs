// Builds the examples that this machine can build and says clearly why it can't build the others.
//   node examples/build.mjs                     all of them
//   node examples/build.mjs hello-node ...      some of them
//   node examples/build.mjs --json ...          a last line of JSON: [{"name","built","why"?}, ...]
// Exit code 1 when one that was named, or one that needs no tool and no network, could not be built.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { findTool, here } from './build-tools.mjs'

const folder = here(import.meta.url)
const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'))
const json = process.argv.includes('--json')
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))
const unknown = named.filter((name) => !manifest.some((example) => example.name === name))
if (unknown.length > 0) {
  console.error(`There is no example '${unknown[0]}'; there are: ${manifest.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

/** Why the example can't be built here, or undefined. */
function missing({ needs }) {
  for (const { command, module, why } of needs.tools) {
    const path = findTool(command)
    if (!path) return `'${command}' is missing: ${why}`
    if (module && spawnSync(path, ['-m', module, '--version'], { stdio: 'ignore' }).status !== 0) {
      return `'${command}' has no module '${module}': ${why}`
    }
  }
  return undefined
}

const results = []
for (const example of manifest) {
  if (named.length > 0 && !named.includes(example.name)) continue
  let why = missing(example)
  if (why === undefined) {
    const { status } = spawnSync(process.execPath, [join(folder, example.build)], { stdio: ['ignore', json ? 2 : 'inherit', 'inherit'] })
    if (status !== 0) why = `its build ended with exit code ${status}${example.needs.network ? '; it needs the network once' : ''}`
  }
  if (why !== undefined) console.error(`${example.name}: not built, ${why}`)
  results.push({ name: example.name, built: why === undefined, ...(why === undefined ? {} : { why }) })
}
if (json) console.log(JSON.stringify(results))
const mustWork = ({ name }) => {
  const { needs } = manifest.find((example) => example.name === name)
  return named.includes(name) || (needs.tools.length === 0 && !needs.network)
}
process.exit(results.some((result) => !result.built && mustWork(result)) ? 1 : 0)
