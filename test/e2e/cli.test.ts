/** The command `lambent`, through its launcher, as a user types it. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import type { TopReport } from '../../cli/commands/top.ts'
import { eventually } from '../support/clients.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

const LAUNCHER = join(import.meta.dirname, '..', '..', 'bin', 'lambent.mjs')

describe('the command lambent', () => {
  let program: Program
  before(async () => {
    program = await startProgram()
  })
  after(() => program.stop())

  const lambent = (args: readonly string[], input?: string) =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const env = { ...process.env, AWS_ENDPOINT_URL: program.endpoint }
      const child = execFile(
        process.execPath,
        [LAUNCHER, ...args],
        { env, timeout: 60_000 },
        (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
      )
      child.stdin?.end(input)
    })

  test('deploys a directory, guesses its runtime, says so, and leaves an unchanged one alone', async (t) => {
    const directory = join(await temporaryDirectory(t), 'greeter')
    mkdirSync(directory)
    const code = (word: string) =>
      writeFileSync(
        join(directory, 'app.py'),
        `def handler(event, context):\n    print("seen", event)\n    return "${word} " + event.get("name", "you")\n`,
      )
    code('Hello')
    const first = await lambent(['deploy', directory])
    assert.deepEqual([first.code, first.stdout.split(':')[0]], [0, 'greeter created'], first.stderr)
    assert.match(first.stderr, /Packed .*greeter/)
    assert.match((await lambent(['deploy', directory])).stdout, /^greeter unchanged/)
    const invoked = await lambent(['invoke', 'greeter', '{"name": "Ada"}', '--log'])
    assert.deepEqual([invoked.code, invoked.stdout], [0, '"Hello Ada"\n'], invoked.stderr)
    assert.match(invoked.stderr, /START RequestId: /)
    code('Good day')
    assert.match(
      (await lambent(['deploy', directory, '--memory', '256', '-e', 'STAGE=test'])).stdout,
      /^greeter updated/,
    )
    assert.equal(
      (await lambent(['invoke', 'greeter', '-'], '{"name": "Grace"}')).stdout,
      '"Good day Grace"\n',
    )
  })

  test('top shows environments with what they use, and where the milliseconds of their starts went', async () => {
    const top = await lambent(['top', '--once'])
    assert.equal(top.code, 0, top.stderr)
    assert.match(top.stdout, /^\d+ environments \(0 busy, \d+ idle\) under (oci|bubblewrap|process); /)
    assert.match(top.stdout, /^greeter:\$LATEST +[0-9a-f]{8} +idle +[\d-]+\/256 +\S+.* 1 +\d+ s$/m)
    const json = JSON.parse((await lambent(['top', '--json'])).stdout) as TopReport
    const [start] = json.starts
    assert.match(start?.functionArn ?? '', /:function:greeter:\$LATEST$/)
    assert.deepEqual(
      start?.phases.map(({ phase }) => phase),
      ['placement', 'code', 'sandbox', 'process', 'init'],
    )
    const sum = start.phases.reduce((total, { durationMs }) => total + durationMs, 0)
    assert.ok(Math.abs(sum - start.totalMs) < 20, `${sum} of ${start.totalMs} ms`)
    assert.match(
      (await lambent(['top', '--starts'])).stdout,
      /^TIME .*PLACEMENT +CODE +SANDBOX +PROCESS +INIT$/m,
    )
    assert.equal((await lambent(['top', '-n', 'soon'])).code, 2)
    const metrics = await (await fetch(`${program.endpoint}/_lambent/metrics`)).text()
    assert.match(metrics, /lambent_environment_start_phase_seconds_count\{[^}]*phase="init"/)
  })

  test('answers JSON for machines, and a table for people', async () => {
    const json = await lambent(['list', '--json'])
    const [entry] = JSON.parse(json.stdout) as { FunctionName: string; MemorySize: number }[]
    assert.deepEqual([entry?.FunctionName, entry?.MemorySize], ['greeter', 256])
    assert.match((await lambent(['list'])).stdout, /^NAME +RUNTIME .*\ngreeter +python3/)
    const invoked = JSON.parse((await lambent(['invoke', 'greeter', '{}', '--json'])).stdout) as {
      StatusCode: number
      Payload: string
    }
    assert.deepEqual([invoked.StatusCode, invoked.Payload], [200, '"Good day you"'])
  })

  test('follows the log', async (t) => {
    const child = spawn(process.execPath, [LAUNCHER, 'logs', 'greeter', '-f', '--since', '1h'], {
      env: { ...process.env, AWS_ENDPOINT_URL: program.endpoint },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    t.after(() => void child.kill())
    let shown = ''
    child.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()))
    await eventually('what was logged before', () =>
      Promise.resolve(shown.includes("seen {'name': 'Ada'}") || undefined),
    )
    await lambent(['invoke', 'greeter', '{"name": "later"}'])
    await eventually('what is logged now', () =>
      Promise.resolve(shown.includes("seen {'name': 'later'}") || undefined),
    )
    assert.equal(shown.split("seen {'name': 'Ada'}").length, 2, 'nothing is shown twice')
  })

  test("a function that fails ends with status 1, an unknown one with AWS's error, a wrong call with status 2", async () => {
    const failed = await lambent(['invoke', 'greeter', '[]'])
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /The function failed \(Unhandled\)/)
    const unknown = await lambent(['invoke', 'nobody'])
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /^ResourceNotFoundException: Function not found: /)
    const wrong = await lambent(['deploy', '--memory', 'much'])
    assert.equal(wrong.code, 2)
    assert.match(wrong.stderr, /--memory takes a whole number, not "much"/)
    assert.equal((await lambent(['nonsense'])).code, 2)
  })

  test('every command has help with examples, and completion for three shells', async () => {
    for (const command of [
      'deploy',
      'invoke',
      'logs',
      'list',
      'delete',
      'completion',
      'up',
      'doctor',
      'runtime',
    ]) {
      const { code, stdout } = await lambent([command, '--help'])
      assert.equal(code, 0, command)
      assert.match(stdout, /^Usage: lambent /, command)
      assert.match(stdout, /Examples/, command)
    }
    for (const shell of ['bash', 'zsh', 'fish']) {
      assert.match((await lambent(['completion', shell])).stdout, /deploy/)
    }
  })

  test('doctor names the driver and what it enforces', async () => {
    const { stdout } = await lambent(['doctor', '--json'])
    const answer = JSON.parse(stdout) as {
      drivers: { driver: string }[]
      chosen: string
      runtimes: { runtime: string }[]
    }
    assert.deepEqual(
      answer.drivers.map(({ driver }) => driver),
      ['oci', 'bubblewrap', 'process'],
    )
    assert.ok(answer.runtimes.some(({ runtime }) => runtime === 'provided.al2023'))
  })

  test('deletes', async () => {
    assert.equal((await lambent(['delete', 'greeter'])).stdout, 'greeter deleted\n')
    assert.match((await lambent(['list'])).stderr, /No functions yet/)
  })

  test('without a running program it says how to start one', async () => {
    const { code, stderr } = await lambent(['list', '--endpoint', 'http://127.0.0.1:65500'])
    assert.equal(code, 1)
    assert.match(
      stderr,
      /Nothing answers at http:\/\/127\.0\.0\.1:65500 \(ECONNREFUSED\)\. Start it with: lambent up/,
    )
  })
})
