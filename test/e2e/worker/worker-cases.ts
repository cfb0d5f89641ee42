/** What a worker does with real guests: one suite, run against every driver that this machine offers. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import type { InvocationResult } from '#contracts/invocation.ts'
import type { SandboxDriver } from '#data-plane/sandbox/port.ts'
import type { Environment } from '#data-plane/worker/port.ts'
import type { Logger } from '#observability/port.ts'

import { createWorkerRig, invocationOf, OWN_NODE, type WorkerRig } from '../../support/worker-rig.ts'

type Answer = Omit<InvocationResult, 'executedVersion'>
const text = ({ payload }: Answer) => Buffer.from(payload).toString()
const json = (answer: Answer): unknown => JSON.parse(text(answer))
const tailOf = (answer: Answer) => Buffer.from(answer.logTail ?? []).toString()

/** A bootstrap in shell around `work`, which sees $id and the event in $event and writes the answer to stdout. */
const shell = (work: string, setUp = '') => `#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime
${setUp}
while true; do
  head=$(mktemp)
  event=$(curl -sS -D "$head" "$api/invocation/next")
  id=$(grep -i '^lambda-runtime-aws-request-id' "$head" | tr -d '\\r' | cut -d' ' -f2)
  ${work}
done
`
const post = (data: string) => `curl -sS -o /dev/null -X POST "$api/invocation/$id/response" -d ${data}`
const bootstrap = (source: string, mode = 0o755) => ({ bootstrap: { text: source, mode } })

type CreateDriver = (directory: string, logger: Logger) => Promise<SandboxDriver>

/** Everything twice: environments that boot for themselves, and those that come from the pool. */
export function describeWorker(name: string, driver: CreateDriver): void {
  for (const poolMemoryMiB of [0, 256]) describeWorkerWithPool(name, driver, poolMemoryMiB)
}

function describeWorkerWithPool(name: string, driver: CreateDriver, poolMemoryMiB: number): void {
  const pooled = poolMemoryMiB > 0
  describe(`worker with the ${name} driver${pooled ? ' and a pool' : ''}`, () => {
    let rig: WorkerRig
    before(async () => {
      rig = await createWorkerRig({ driver, poolMemoryMiB })
    })
    after(() => rig[Symbol.asyncDispose]())

    const node = (source: string, settings: Parameters<WorkerRig['function']>[1] = {}) =>
      rig.function({ 'index.js': source }, { runtime: OWN_NODE, ...settings })
    const python = (source: string, settings: Parameters<WorkerRig['function']>[1] = {}) =>
      rig.function({ 'lambda_function.py': source }, { runtime: 'python3.11', ...settings })
    const provided = (
      files: Parameters<WorkerRig['function']>[0],
      settings: Parameters<WorkerRig['function']>[1] = {},
    ) => rig.function(files, { runtime: 'provided.al2023', ...settings })
    const invoke = (environment: Environment, event?: unknown) =>
      environment.invoke(invocationOf(environment.version, event), { logType: 'Tail' })
    const linesOf = (environment: Environment) =>
      rig.log.filter(({ stream }) => stream.endsWith(environment.id)).map(({ message }) => message)

    test('Node: keeps its state between invocations and its log lines in order', async () => {
      await using stack = new AsyncDisposableStack()
      const version = await node(
        'console.log("loading"); let n = 0; exports.handler = async (e) => { console.log("hello", e.name); process.stdout.write("raw\\n"); return { n: ++n } }',
      )
      const environment = await rig.start(version)
      stack.defer(() => environment.stop())
      assert.equal(environment.state, 'idle')
      assert.deepEqual(json(await invoke(environment, { name: 'a' })), { n: 1 })
      const second = await invoke(environment, { name: 'b' })
      assert.deepEqual(json(second), { n: 2 })
      assert.match(
        tailOf(second),
        /^START RequestId: \S+ Version: \$LATEST\n[^\n]+\tINFO\thello b\nraw\nEND RequestId: \S+\nREPORT RequestId: \S+\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\tMax Memory Used: \d+ MB\t\n$/,
      )
      const lines = linesOf(environment)
      assert.match(
        lines[0] ?? '',
        /^INIT_START Runtime Version: nodejs:\d\d\.v1\tRuntime Version ARN: arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/,
      )
      assert.match(lines[1] ?? '', /\tINFO\tloading$/)
      const reports = lines.filter((line) => line.startsWith('REPORT'))
      assert.match(reports[0] ?? '', /\tInit Duration: \d+\.\d\d ms\t$/)
      assert.doesNotMatch(reports[1] ?? '', /Init Duration/)
      const [, duration, billed, init] =
        /Duration: ([\d.]+) ms\tBilled Duration: (\d+) ms.*Init Duration: ([\d.]+) ms/.exec(
          reports[0] ?? '',
        ) ?? []
      // Both parts are rounded to hundredths in the text.
      assert.ok(Math.abs(Number(billed) - (Number(duration) + Number(init))) <= 1.02)
    })

    test('Python: prints, answers and sees its files', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await python(
          'import os\ndef lambda_handler(event, context):\n    print("from python")\n    return {"cwd": os.getcwd() == os.environ["LAMBDA_TASK_ROOT"], "id": context.aws_request_id}\n',
        ),
      )
      stack.defer(() => environment.stop())
      const answer = await invoke(environment)
      assert.equal((json(answer) as { cwd: boolean }).cwd, true)
      assert.match(tailOf(answer), /\nfrom python\nEND/)
    })

    test('a shell bootstrap on provided.al2023 answers, and what it printed before is logged before END', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await provided(bootstrap(shell(`echo "working on $event"; ${post('"$event"')}`, 'echo booted'))),
      )
      stack.defer(() => environment.stop())
      const answer = await invoke(environment, { a: 1 })
      assert.equal(text(answer), '{"a":1}')
      assert.match(tailOf(answer), /^booted\nSTART [^\n]+\nworking on \{"a":1\}\nEND /)
    })

    test('a missing, an unexecutable and an unrunnable bootstrap are Runtime.InvalidEntrypoint', async () => {
      const cases: readonly (readonly [Parameters<WorkerRig['function']>[0], string])[] = [
        [{ other: 'x' }, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"],
        [bootstrap('#!/bin/sh\n', 0o644), 'fork/exec /var/task/bootstrap: permission denied'],
        [bootstrap('MZ no program'), 'fork/exec /var/task/bootstrap: exec format error'],
      ]
      for (const [files, message] of cases) {
        await using stack = new AsyncDisposableStack()
        const environment = await rig.start(await provided(files))
        stack.defer(() => environment.stop())
        const answer = await invoke(environment)
        assert.equal(answer.functionError, 'Unhandled')
        const { errorType, errorMessage } = json(answer) as Record<string, string>
        assert.equal(errorType, 'Runtime.InvalidEntrypoint')
        assert.match(errorMessage ?? '', /^RequestId: \S+ Error: /)
        assert.ok(errorMessage?.endsWith(message), String(errorMessage))
        assert.match(
          tailOf(answer),
          /^INIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: error\tError Type: Runtime\.InvalidEntrypoint\nINIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: invoke\tStatus: error\tError Type: Runtime\.InvalidEntrypoint\nSTART [^\n]+\nRequestId: \S+ Error: [^\n]+\nRuntime\.InvalidEntrypoint\nEND [^\n]+\nREPORT .*\tStatus: error\tError Type: Runtime\.InvalidEntrypoint\n$/,
        )
      }
    })

    test('the bootstrap of a layer is found in /opt', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await provided({ data: '1' }, { layerFiles: [bootstrap(shell(post('\'"layer"\'')))] }),
      )
      stack.defer(() => environment.stop())
      assert.equal(text(await invoke(environment)), '"layer"')
    })

    test('a handler error is passed through as the runtime wrote it, and the environment goes on', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await node('let n = 0; exports.handler = async () => { n++; throw new TypeError("broken " + n) }'),
      )
      stack.defer(() => environment.stop())
      const first = await invoke(environment)
      assert.equal(first.functionError, 'Unhandled')
      const { errorType, errorMessage } = json(first) as Record<string, unknown>
      assert.deepEqual([errorType, errorMessage], ['TypeError', 'broken 1'])
      assert.equal((json(await invoke(environment)) as { errorMessage: string }).errorMessage, 'broken 2')
      assert.doesNotMatch(tailOf(first), /Status:/)
    })

    test('an error while loading the code is reported by the first invocation, which loads it once more', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(await python('import no_such_module\n'))
      stack.defer(() => environment.stop())
      for (let attempt = 0; attempt < 2; attempt++) {
        const answer = await invoke(environment)
        assert.equal(answer.functionError, 'Unhandled')
        const document = json(answer) as Record<string, string>
        assert.equal(document['errorType'], 'Runtime.ImportModuleError')
        assert.match(tailOf(answer), /Phase: invoke\tStatus: error\tError Type: Runtime\.ImportModuleError\n/)
        assert.match(tailOf(answer), /REPORT .*\tStatus: error\tError Type: Runtime\.ImportModuleError\n$/)
      }
      assert.equal(linesOf(environment).filter((line) => line.includes('Phase: init\t')).length, 1)
      assert.equal(linesOf(environment).filter((line) => line.startsWith('INIT_START')).length, 1)
    })

    test('a timeout kills the process, keeps /tmp, and the next invocation starts afresh', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await node(
          `const fs = require('fs'), os = require('os'), path = require('path'); let n = 0
           exports.handler = async (e) => { const file = path.join(os.tmpdir(), 'kept'); n++
             if (e.hang) { fs.writeFileSync(file, 'here'); for (;;); }
             return { n, kept: fs.readFileSync(file, 'utf8') } }`,
          // The second process has to boot within the same time, on a machine that may be busy.
          { timeoutSeconds: 2, memoryMiB: 1769 },
        ),
      )
      stack.defer(() => environment.stop())
      const answer = await invoke(environment, { hang: true })
      assert.equal(answer.functionError, 'Unhandled')
      const document = text(answer)
      assert.match(
        document,
        /^\{"errorType":"Sandbox\.Timedout","errorMessage":"RequestId: [0-9a-f-]{36} Error: Task timed out after 2\.00 seconds"\}$/,
      )
      assert.match(
        tailOf(answer),
        /\n\d{4}-\d\d-\d\dT[\d:.]+Z \S+ Task timed out after 2\.00 seconds\n\nEND [^\n]+\nREPORT RequestId: \S+\tDuration: 2000\.00 ms\tBilled Duration: \d+ ms\t.*\tStatus: timeout\n$/,
      )
      assert.equal(environment.state, 'idle')
      assert.deepEqual(json(await invoke(environment)), { n: 1, kept: 'here' })
    })

    test('exits are Runtime.ExitError in all their wordings', async () => {
      const cases = [
        ['exit 0', 'Runtime exited without providing a reason'],
        ['exit 3', 'Runtime exited with error: exit status 3'],
        ['kill -9 $$', 'Runtime exited with error: signal: killed'],
        ['kill -SEGV $$', 'Runtime exited with error: signal: segmentation fault'],
      ] as const
      for (const [work, reason] of cases) {
        await using stack = new AsyncDisposableStack()
        const environment = await rig.start(await provided(bootstrap(shell(`echo last words; ${work}`))))
        stack.defer(() => environment.stop())
        const answer = await invoke(environment)
        const id = /RequestId: (\S+)/.exec(text(answer))?.[1]
        assert.equal(
          text(answer),
          `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ${id} Error: ${reason}"}`,
        )
        assert.match(
          tailOf(answer),
          /\nlast words\nRequestId: \S+ Error: Runtime exited [^\n]+\nRuntime\.ExitError\nEND [^\n]+\nREPORT .*\tStatus: error\tError Type: Runtime\.ExitError\n$/,
        )
      }
    })

    test('an exit during init is reported by the first invocation, and does not spin', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(await provided(bootstrap('#!/bin/sh\necho trying\nexit 127\n')))
      stack.defer(() => environment.stop())
      const answer = await invoke(environment)
      assert.match(text(answer), /Runtime exited with error: exit status 127"\}$/)
      assert.equal(linesOf(environment).filter((line) => line === 'trying').length, 2)
    })

    test('an answer that is too large becomes Function.ResponseSizeTooLarge, and the environment goes on', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await node('exports.handler = async (e) => "x".repeat(e.size)', { memoryMiB: 512 }),
      )
      stack.defer(() => environment.stop())
      const answer = await invoke(environment, { size: 7_000_000 })
      assert.equal(answer.functionError, 'Unhandled')
      assert.equal(
        text(answer),
        '{"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"}',
      )
      assert.equal(text(await invoke(environment, { size: 1 })), '"x"')
    })

    test('a guest that fills its memory is killed and reported as AWS reports it', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await python(
          'def lambda_handler(event, context):\n    held = []\n    while True:\n        held.append(bytearray(8 * 1024 * 1024))\n',
          { memoryMiB: 128 },
        ),
      )
      stack.defer(() => environment.stop())
      const answer = await invoke(environment)
      assert.match(
        text(answer),
        /^\{"errorType":"Runtime\.ExitError","errorMessage":"RequestId: \S+ Error: Runtime exited with error: signal: killed"\}$/,
      )
      const report = tailOf(answer).trimEnd().split('\n').at(-1) ?? ''
      assert.match(report, /\tStatus: error\tError Type: Runtime\.OutOfMemory$/)
      const used = Number(/Max Memory Used: (\d+) MB/.exec(report)?.[1])
      assert.ok(used >= 100 && used <= 160, report)
    })

    test('garbage on the control channel ends the process, not the worker', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await python(
          'import os\ndef lambda_handler(event, context):\n    if event.get("bad"):\n        os.write(3, b"GET / HTTP/1.1\\r\\n\\r\\n" * 64)\n        while True: pass\n    return "fine"\n',
        ),
      )
      stack.defer(() => environment.stop())
      const answer = await invoke(environment, { bad: true })
      assert.match(text(answer), /"errorType":"Runtime\.ExitError"/)
      assert.equal(text(await invoke(environment)), '"fine"')
    })

    test('a guest that prints without end is bounded and stops at its timeout', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await provided(bootstrap(shell('yes "a line of output that is not short at all"')), {
          timeoutSeconds: 1,
        }),
      )
      stack.defer(() => environment.stop())
      const before = process.memoryUsage().rss
      const answer = await invoke(environment)
      assert.match(text(answer), /Sandbox\.Timedout/)
      const printed = linesOf(environment).length
      assert.ok(printed > 1000)
      // The list of this test holds the lines; what the worker itself holds is a few MiB.
      assert.ok(process.memoryUsage().rss - before < 1024 * 1024 * 1024)
      rig.log.splice(0)
    })

    test('twenty thousand lines right before the answer are all logged before END', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await provided(bootstrap(shell(`seq 1 20000; ${post('1')}`)), { memoryMiB: 1769 }),
      )
      stack.defer(() => environment.stop())
      await invoke(environment)
      const lines = linesOf(environment)
      assert.deepEqual(lines.slice(2, 4), ['1', '2'])
      assert.equal(lines.indexOf('20000'), 20_001)
      assert.match(lines[20_002] ?? '', /^END /)
    })

    test('a function that leaves children behind and ignores SIGTERM is gone after stop', async () => {
      const environment = await rig.start(
        await provided(
          bootstrap(shell(`(trap '' TERM; sleep 997.${name.length}) & ${post('1')}`, "trap '' TERM")),
        ),
      )
      await invoke(environment)
      await environment.stop()
      const { stdout } = await promisify(execFile)('ps', ['-eo', 'args'])
      assert.doesNotMatch(stdout, new RegExp(`sleep 997\\.${name.length}`))
    })

    test('the JSON format gives records instead of lines', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await node('exports.handler = async () => { console.log("in json") }', {
          logging: { format: 'JSON', group: '/custom/group' },
        }),
      )
      stack.defer(() => environment.stop())
      assert.equal(text(await invoke(environment)), 'null')
      const records = rig.log
        .filter(({ stream }) => stream.endsWith(environment.id))
        .map(({ message }) => JSON.parse(message) as Record<string, unknown>)
      assert.deepEqual(
        records.map((record) => record['type'] ?? record['message']),
        ['platform.initStart', 'platform.start', 'in json', 'platform.report'],
      )
      const stream = rig.log.find((entry) => entry.stream.endsWith(environment.id))?.stream ?? ''
      assert.match(stream, /^\d{4}\/\d\d\/\d\d\/fn\[\$LATEST\][0-9a-f]{32}$/)
    })

    test('sees the customer’s variables, and none of the host', async () => {
      await using stack = new AsyncDisposableStack()
      process.env['SECRET_OF_THE_HOST'] = 'never'
      const environment = await rig.start(
        await node('exports.handler = async () => process.env', {
          env: { MINE: 'yes', AWS_REGION: 'mars-1', PATH: '/usr/bin' },
          version: '7',
        }),
      )
      stack.defer(() => environment.stop())
      const env = json(await invoke(environment)) as Record<string, string>
      assert.equal(env['MINE'], 'yes')
      assert.equal(env['AWS_REGION'], 'us-east-1')
      assert.equal(env['PATH'], '/usr/bin')
      assert.equal(env['AWS_LAMBDA_FUNCTION_VERSION'], '7')
      assert.equal(env['AWS_EXECUTION_ENV'], `AWS_Lambda_${OWN_NODE}`)
      assert.equal(env['SECRET_OF_THE_HOST'], undefined)
      assert.match(env['AWS_LAMBDA_LOG_STREAM_NAME'] ?? '', /\/\[7\][0-9a-f]{32}$/)
    })

    test('layers lie over each other in /opt, a later one on top', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await rig.start(
        await node('exports.handler = async () => [require("thing"), require("second")]', {
          layerFiles: [
            {
              'nodejs/node_modules/thing/index.js': 'module.exports = "first"',
              'nodejs/node_modules/second/index.js': 'module.exports = 2',
            },
            { 'nodejs/node_modules/thing/index.js': 'module.exports = "later"' },
          ],
        }),
      )
      stack.defer(() => environment.stop())
      assert.deepEqual(json(await invoke(environment)), ['later', 2])
    })

    test('stop in the middle of an invocation is the platform’s fault, and everything is gone after it', async () => {
      const environment = await rig.start(
        await node('exports.handler = () => new Promise((done) => setTimeout(done, 60000))', {
          timeoutSeconds: 60,
        }),
      )
      const pending = assert.rejects(invoke(environment), { code: 'ServiceException' })
      await environment.stop()
      await pending
      await environment.gone
      assert.equal(environment.state, 'gone')
      await environment.stop()
    })

    test('leaves no environment and no memory promised', () => {
      assert.deepEqual(rig.worker.capacity(), { memoryMiB: 0, maxMemoryMiB: 4096, environments: 0 })
      assert.deepEqual(rig.warnings, [])
    })
  })
}
