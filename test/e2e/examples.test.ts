/** The bundled examples: built here, deployed as the first start does, invoked, and their answers looked at. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { createClient } from '../../cli/client.ts'
import { deployExamples, readExamples, type Example } from '../../cli/examples.ts'
import { signerFromEnvironment } from '../../cli/sign.ts'
import { invoke, lambdaClient } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'
import { QUICK_BUILD } from '../support/rust-example.ts'

const DIRECTORY = join(import.meta.dirname, '..', '..', 'examples')

/** What each example's answer to its sample event must show. */
const LOOKS: Readonly<Record<string, (answer: never) => void>> = {
  'hello-node': (answer: { greeting: string }) => assert.equal(answer.greeting, 'Hello, Ada!'),
  'hello-python': (answer: { greeting: string }) => assert.equal(answer.greeting, 'Hello, Ada!'),
  'hello-shell': (answer: { greeting: string }) => assert.match(answer.greeting, /Ada/),
  'image-resizer': (answer: { width: number; format: string; image: string }) => {
    assert.deepEqual([answer.width, answer.format], [320, 'webp'])
    assert.equal(Buffer.from(answer.image, 'base64').toString('latin1', 8, 12), 'WEBP')
  },
  'data-cleaner': (answer: object) => assert.match(JSON.stringify(answer), /\+442079460958/),
  'go-wordcount': (answer: object) => assert.match(JSON.stringify(answer), /"the"|"it"|"was"/),
  'rust-hash': (answer: object) => assert.match(JSON.stringify(answer), /[0-9a-f]{64}/),
}

Object.assign(process.env, QUICK_BUILD)

describe('examples', () => {
  let program: Program
  let deployed: readonly Example[] = []
  const said: string[] = []
  const examples = readExamples(DIRECTORY)
  before(async () => {
    program = await startProgram()
    const sign = signerFromEnvironment({}, 'us-east-1')
    const { runtimes } = JSON.parse(
      execFileSync(process.execPath, [
        join(DIRECTORY, '..', 'bin', 'lambent.mjs'),
        'doctor',
        '--json',
      ]).toString(),
    ) as { runtimes: { runtime: string; state: string }[] }
    deployed = await deployExamples(
      {
        client: createClient({ endpoint: program.endpoint, region: 'us-east-1', sign }),
        out: { isJson: true, line() {}, json() {}, note() {}, bytes() {} },
        signal: new AbortController().signal,
      },
      {
        directory: DIRECTORY,
        examples,
        readyRuntimes: new Set(
          runtimes.filter(({ state }) => state === 'ready').map(({ runtime }) => runtime),
        ),
        say: (text) => void said.push(text),
      },
    )
  })
  after(() => program.stop())

  for (const example of examples) {
    test(`${example.name}: ${example.description}`, async (t) => {
      if (!deployed.includes(example)) {
        const why = said.find((text) => text.startsWith(`${example.name}:`)) ?? 'not deployed'
        // What needs neither a tool nor the network has no excuse.
        if (example.needs.tools.length === 0) assert.fail(why)
        return t.skip(why)
      }
      const answer = await invoke(lambdaClient(program.endpoint), example.name, example.event)
      assert.equal(answer.functionError, undefined, answer.text)
      const look = LOOKS[example.name]
      assert.ok(look, 'a new example needs a look at its answer here')
      look(answer.payload as never)
    })
  }
})
