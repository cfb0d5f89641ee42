/** Every hand-established case of the parity table, through the real SDK against the real program. */
import { after, before, describe, test } from 'node:test'

import { zipOf } from '../support/clients.ts'
import { SHOWS_ITS_TOKEN, WAITS_FOR_A_CALLBACK } from '../support/durable-guests.ts'
import { startProgram, type Program } from '../support/program.ts'
import { allCases } from './all-cases.ts'
import { createSharedHandler, type SharedHandler } from './captured-client.ts'
import { regionOf, runCase } from './run-case.ts'

const manyFiles = (result: number) =>
  Object.fromEntries([
    ['index.js', `exports.handler = async () => ${result}`],
    ...Array.from({ length: 1000 }, (_, at) => [`files/${at}`, `${at}`]),
  ])

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
      '<callback zip>': await zipOf({ 'index.js': WAITS_FOR_A_CALLBACK }),
      '<token zip>': await zipOf({ 'index.js': SHOWS_ITS_TOKEN }),
      '<broken zip>': await zipOf({ 'index.js': `throw new Error('not even started')` }),
      '<failing zip>': await zipOf({
        'index.js': 'exports.handler = async () => { throw new TypeError("no") }',
      }),
      '<slow zip>': await zipOf({
        'index.js': 'exports.handler = () => new Promise((resolve) => setTimeout(resolve, 30_000))',
      }),
      '<empty zip>': await zipOf({}),
      // Each is used once: a package that was prepared before is ready at once.
      '<first zip of many files>': await zipOf(manyFiles(1)),
      '<second zip of many files>': await zipOf(manyFiles(2)),
      '<third zip of many files>': await zipOf(manyFiles(3)),
      '<fourth zip of many files>': await zipOf(manyFiles(4)),
      '<fifth zip of many files>': await zipOf(manyFiles(5)),
      '<sixth zip of many files>': await zipOf(manyFiles(6)),
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
