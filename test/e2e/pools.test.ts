/** Environments that come from the pool: the same to a function as those that boot for it, and nobody else's. */
// parity: Invoke
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { UpdateFunctionConfigurationCommand, waitUntilFunctionUpdatedV2 } from '@aws-sdk/client-lambda'

import { createFunction, eventually, invoke, lambdaClient } from '../support/clients.ts'
import { driversHere } from '../support/drivers.ts'
import { findTraces, watchSandboxes } from '../support/leftovers.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

interface PoolHealth {
  readonly runtime: string
  readonly memoryMiB: number
  readonly ready: number
  readonly wanted: number
  readonly hits: number
  readonly misses: number
}

async function pools(program: Program): Promise<readonly PoolHealth[]> {
  const answer = await fetch(`${program.endpoint}/_lambent/health`)
  return ((await answer.json()) as { readonly pools: readonly PoolHealth[] }).pools
}

const poolReady = (program: Program, runtime: string) =>
  eventually(`${runtime} waits`, async () =>
    (await pools(program)).find((pool) => pool.runtime === runtime && pool.ready >= pool.wanted),
  )

/** Everything of its surroundings that a function may look at and that has no reason to differ. */
const LOOKS = `
import { readFileSync, readdirSync, realpathSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import v8 from 'node:v8'
const safely = (look) => { try { return look() } catch (error) { return error.code } }
export const handler = async (event, context) => {
  const volatile = /^(AWS_LAMBDA_LOG_STREAM_NAME|_X_AMZN_TRACE_ID|AWS_ENDPOINT_URL)$/
  return {
    env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !volatile.test(name)).sort()),
    child: execFileSync('/usr/bin/env').toString().split('\\n').filter((line) => !volatile.test(line.split('=')[0])).sort(),
    argv: process.argv, execArgv: process.execArgv, title: process.title, cwd: process.cwd(),
    file: import.meta.filename, real: realpathSync('/var/task/index.mjs'),
    heap: v8.getHeapStatistics().heap_size_limit,
    ids: [process.getuid(), process.getgid()], groups: process.getgroups(),
    task: readdirSync('/var/task'), opt: readdirSync('/opt'), runtime: readdirSync('/var/runtime').length > 0, tmp: readdirSync('/tmp'),
    root: readdirSync('/').sort(), fds: readdirSync('/proc/self/fd').filter((fd) => Number(fd) < 4),
    write: ['/var/task/x', '/opt/x', '/var/runtime/x', '/x'].map((path) => safely(() => readFileSync(path))),
    mounts: readFileSync('/proc/self/mounts', 'utf8').split('\\n').filter((line) => / \\/(var|opt|tmp)/.test(line))
      .map((line) => line.split(' ')).filter(([, target], at, all) => all.findLastIndex(([, other]) => other === target) === at && !['/opt', '/var/cache'].includes(target))
      .map(([, target, , options]) => target + ' ' + options.split(',')[0]).sort(),
    limits: readFileSync('/proc/self/limits', 'utf8').split('\\n').filter((line) => /open files|core file/.test(line)),
    memory: context.memoryLimitInMB,
  }
}
`

for (const { driver, whyNot } of await driversHere()) {
  // It has no mounts: its paths name the environment.
  if (driver === 'process') continue
  test(`${driver}: a function can't tell whether its environment comes from the pool`, async (t) => {
    if (whyNot !== undefined) return t.skip(whyNot)
    const seen: unknown[] = []
    for (const memory of [512, 0]) {
      const dataDirectory = await temporaryDirectory(t)
      const program = await startProgram({
        dataDirectory,
        args: [`--driver=${driver}`, `--pool-memory=${memory}`],
      })
      t.after(() => program.stop())
      const lambda = lambdaClient(program.endpoint)
      await createFunction(lambda, {
        FunctionName: 'looks',
        files: { 'index.mjs': LOOKS },
        MemorySize: 256,
        EphemeralStorage: { Size: 600 },
        Environment: { Variables: { WORD: 'word', TZ: 'Europe/Berlin' } },
        Timeout: 20,
      })
      if (memory > 0) assert.equal((await poolReady(program, 'nodejs26.x')).memoryMiB, 256)
      const answer = await invoke(lambda, 'looks', '1')
      assert.equal(answer.functionError, undefined, answer.text)
      seen.push(answer.payload)
      const [pool] = await pools(program)
      assert.deepEqual(
        [pool?.hits, pool?.misses],
        memory > 0 ? [1, 0] : [undefined, undefined],
        program.output(),
      )
      await program.stop()
    }
    assert.deepEqual(seen[0], seen[1])
    const { argv, cwd, file, env } = seen[0] as {
      readonly argv: readonly string[]
      readonly cwd: string
      readonly file: string
      readonly env: Readonly<Record<string, string>>
    }
    assert.deepEqual([argv.at(-1), cwd, file], ['/var/runtime/index.cjs', '/var/task', '/var/task/index.mjs'])
    assert.deepEqual([env['WORD'], env['TZ']], ['word', 'Europe/Berlin'])
  })
}

test('what waits belongs to one function only, holds no secret, and is made up for', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  const program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  const source = `import os
def handler(event, context):
    with open('/proc/self/environ') as file:
        booted_with = file.read().split(chr(0))
    mark = os.environ.get('TMPDIR', '/tmp') + '/mark'
    seen = os.path.exists(mark)
    open(mark, 'w').close()
    return [seen, os.environ['SECRET'], sorted(line.split('=')[0] for line in booted_with if 'AWS_' in line and 'XRAY' not in line), [line for line in booted_with if 'hush' in line]]
`
  const names = ['one', 'two', 'three', 'four', 'five']
  for (const name of names) {
    await createFunction(lambda, {
      FunctionName: name,
      Runtime: 'python3.11',
      Handler: 'app.handler',
      files: { 'app.py': source },
      Environment: { Variables: { SECRET: `hush ${name}` } },
    })
    await poolReady(program, 'python3.11')
    assert.deepEqual((await invoke(lambda, name, '1')).payload, [false, `hush ${name}`, [], []])
  }
  const pool = await poolReady(program, 'python3.11')
  assert.deepEqual([pool.hits, pool.misses], [5, 0])
  const metrics = await (await fetch(`${program.endpoint}/_lambent/metrics`)).text()
  assert.match(metrics, /^lambent_pool_hits_total\{memory="128",rich="false",runtime="python3.11"\} 5$/m)
  assert.match(metrics, /^lambent_pool_ready\{memory="128",rich="false",runtime="python3.11"\} \d+$/m)
  assert.match(
    metrics,
    /^lambent_environment_start_phase_seconds_count\{from="pool",phase="sandbox",[^}]*\} 5$/m,
  )
})

test('a burst beyond what waits is served all the same, and the next one finds more', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  const program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  const source = `import time
def handler(event, context):
    time.sleep(0.5)
    return context.log_stream_name
`
  await createFunction(lambda, {
    FunctionName: 'burst',
    Runtime: 'python3.11',
    Handler: 'app.handler',
    files: { 'app.py': source },
    Timeout: 30,
  })
  const before = await poolReady(program, 'python3.11')
  const answers = await Promise.all(Array.from({ length: 8 }, () => invoke(lambda, 'burst', '1')))
  assert.deepEqual(
    answers.map(({ functionError }) => functionError),
    answers.map(() => undefined),
  )
  const after = await poolReady(program, 'python3.11')
  assert.ok(after.wanted > before.wanted, JSON.stringify([before, after]))
  assert.ok(after.hits >= before.ready, JSON.stringify([before, after]))
})

test('a function that needs a process of its own gets one', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  const program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  await createFunction(lambda, {
    FunctionName: 'options',
    files: {
      'index.mjs': `export const handler = async () => process.title`,
    },
    Environment: { Variables: { NODE_OPTIONS: '--title=of-its-own' } },
  })
  await poolReady(program, 'nodejs26.x')
  assert.equal((await invoke(lambda, 'options', '1')).payload, 'of-its-own')
  const [pool] = await pools(program)
  assert.deepEqual([pool?.hits, pool?.misses], [0, 0])
})

/** Files that make a package large enough for the standard library to be loaded ahead, and do nothing else. */
const ballast = () => ({ 'ballast.bin': randomBytes(100_000) })

for (const { driver, whyNot } of await driversHere()) {
  test(`${driver}: compiled code of a large Node function is kept, out of reach of those that use it`, async (t) => {
    if (whyNot !== undefined) return t.skip(whyNot)
    const dataDirectory = await temporaryDirectory(t)
    const program = await startProgram({ dataDirectory, args: [`--driver=${driver}`] })
    t.after(() => program.stop())
    const lambda = lambdaClient(program.endpoint)
    const source = `const fs = require('fs'), os = require('os'), path = require('path')
const all = require('./library.js')
const atInit = require('module').getCompileCacheDir()
const tryTo = (work) => { try { work(); return 'done' } catch (error) { return error.code } }
exports.handler = async () => ({
  all, atInit, tmp: fs.readdirSync(os.tmpdir()), https: process.moduleLoadList.includes('NativeModule https'),
  strange: Object.keys(process.env).filter((name) => name.includes('LAMBENT')),
  write: fs.existsSync(atInit) && tryTo(() => fs.writeFileSync(path.join(atInit, 'mine'), '')),
  remove: fs.existsSync(atInit) && fs.readdirSync(atInit).map((name) => tryTo(() => fs.unlinkSync(path.join(atInit, name)))),
})
`
    await createFunction(lambda, {
      FunctionName: 'large',
      files: { 'index.js': source, 'library.js': 'module.exports = 42', ...ballast() },
      Timeout: 20,
    })
    interface Seen {
      readonly all: number
      readonly atInit: string
      readonly tmp: readonly string[]
      readonly https: boolean
      readonly strange: readonly string[]
      readonly write: string | false
      readonly remove: readonly string[] | false
    }
    const next = async () => {
      await poolReady(program, 'nodejs26.x')
      const answer = await invoke(lambda, 'large', '1')
      assert.equal(answer.functionError, undefined, answer.text)
      // A new environment next time, with the same code.
      await lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: 'large',
          Description: String(Math.random()),
        }),
      )
      await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 30 }, { FunctionName: 'large' })
      return answer.payload as Seen
    }
    const first = await next()
    // It has made the cache; nothing of that is left in its /tmp.
    assert.match(first.atInit, /\/\.lambent-compiled\//)
    assert.deepEqual([first.all, first.tmp, first.write, first.strange], [42, [], false, []])
    for (let again = 0; again < 2; again++) {
      const later = await next()
      assert.doesNotMatch(later.atInit, /\/\.lambent-compiled\//)
      assert.deepEqual([later.all, later.https, later.tmp, later.strange], [42, true, [], []])
      if (driver === 'process') continue
      assert.match(later.atInit, /^\/var\/cache\//)
      assert.equal(later.write, 'EROFS')
      assert.ok(later.remove && later.remove.length >= 2, JSON.stringify(later))
      assert.ok(later.remove.every((code) => code === 'EROFS'))
    }
  })
}

test("a large Python function's own modules come before those that were loaded ahead", async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  const program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  const source = `import sys, os
ahead = 'ssl' in sys.modules
import uuid, calendar
def handler(event, context):
    return [ahead, uuid.OWN, hasattr(calendar, 'monthrange'), [name for name in os.environ if 'LAMBENT_P' in name]]
`
  await createFunction(lambda, {
    FunctionName: 'large',
    Runtime: 'python3.11',
    Handler: 'app.handler',
    files: { 'app.py': source, 'uuid.py': 'OWN = "own"', ...ballast() },
  })
  await poolReady(program, 'python3.11')
  // What is loaded ahead comes after the moment from which on it could be given away.
  await new Promise((resolve) => setTimeout(resolve, 2000))
  assert.deepEqual((await invoke(lambda, 'large', '1')).payload, [true, 'own', true, []])
})

test('what waits is gone after a stop and after a kill -9, and is there again after a start', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  let program = await startProgram({ dataDirectory })
  t.after(() => program.stop())
  const sandboxes = watchSandboxes(dataDirectory)
  await createFunction(lambdaClient(program.endpoint), {
    FunctionName: 'waits',
    files: { 'index.mjs': `export const handler = async () => 'here'` },
  })
  await poolReady(program, 'nodejs26.x')
  const { size } = sandboxes.ids
  assert.ok(size >= 2)
  await program.kill9()
  await eventually('nothing is left', async () =>
    findTraces(dataDirectory, sandboxes.ids).length === 0 ? true : undefined,
  )
  program = await startProgram({ dataDirectory })
  // Nobody has called a function yet: what was wanted before is known.
  await poolReady(program, 'nodejs26.x')
  assert.equal((await invoke(lambdaClient(program.endpoint), 'waits', '1')).payload, 'here')
  await program.stop()
  sandboxes.stop()
  assert.ok(sandboxes.ids.size > size)
  assert.deepEqual(findTraces(dataDirectory, sandboxes.ids), [])
  assert.equal(existsSync(join(dataDirectory, 'sandboxes/sandboxes', [...sandboxes.ids][0] ?? '')), false)
})
