/** Every hand-established case of the parity table, through the real SDK against the real program. */
import { after, before, describe, test } from 'node:test'

import { zipOf } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'
import { allCases } from './all-cases.ts'
import { createSharedHandler, type SharedHandler } from './captured-client.ts'
import { regionOf, runCase } from './run-case.ts'

describe('parity', { concurrency: 6 }, () => {
  let program: Program
  let agents: SharedHandler
  let files: Record<string, Uint8Array>

  before(async () => {
    program = await startProgram()
    agents = createSharedHandler()
    files = {
      '<zip>': await zipOf({ 'index.js': 'exports.handler = async (event) => event' }),
      '<other zip>': await zipOf({ 'index.js': 'exports.handler = async () => 2' }),
      '<durable zip>': await zipOf({
        'index.js': `exports.handler = async () => ({ Status: 'SUCCEEDED', Result: '"done"' })`,
      }),
      '<failing zip>': await zipOf({
        'index.js': 'exports.handler = async () => { throw new TypeError("no") }',
      }),
      '<slow zip>': await zipOf({
        'index.js': 'exports.handler = () => new Promise((resolve) => setTimeout(resolve, 30_000))',
      }),
      '<empty zip>': await zipOf({}),
      '<zip of many files>': await zipOf(
        Object.fromEntries([
          ['index.js', 'exports.handler = async () => 3'],
          ...Array.from({ length: 3000 }, (_, at) => [`files/${at}`, `${at}`]),
        ]),
      ),
      '<no zip>': Buffer.from('this is no zip'),
    }
  })
  after(async () => {
    agents.destroy()
    await program.stop()
  })

  for (const [index, item] of allCases.entries()) {
    test(`${item.operation}: ${item.name}`, () =>
      runCase(item, regionOf(index), { endpoint: program.endpoint, agents, files }))
  }
})
