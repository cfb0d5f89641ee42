/** What a worker does with functions of container images: one suite for every driver that can show them. */
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import type { ImageOverrides } from '#contracts/function.ts'
import type { SandboxDriver } from '#data-plane/sandbox/port.ts'
import type { Environment } from '#data-plane/worker/port.ts'
import type { ImageConfig } from '#images/port.ts'
import type { Logger } from '#observability/port.ts'

import { IMAGE_NODE as NODE, installNode } from '../../support/image-files.ts'
import { createWorkerRig, invocationOf, type WorkerRig } from '../../support/worker-rig.ts'

/** A runtime of the image's own: answers with what `work` says of the event. */
const runtime = (work: string) => `
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/invocation'
const { readFileSync, writeFileSync, readdirSync } = require('fs')
let count = 0
const loop = async () => {
  for (;;) {
    const next = await fetch(api + '/next')
    const id = next.headers.get('lambda-runtime-aws-request-id')
    const event = await next.json()
    count++
    const answer = (() => { ${work} })()
    await fetch(api + '/' + id + '/response', { method: 'POST', body: JSON.stringify(answer) })
  }
}
console.log('booted', ...process.argv.slice(2))
loop()
`
const WORK = `
  if (event === 'exit') process.exit(7)
  if (event === 'see') return [process.cwd(), process.getuid(), process.env.OWN, process.env.HOME ?? null,
    process.env._HANDLER, process.env.AWS_EXECUTION_ENV, readFileSync('/etc/passwd', 'utf8').includes('sbx_user1051')]
  writeFileSync('/tmp/count', String(count))
  return [count, readFileSync('/tmp/count', 'utf8'), event, ...process.argv.slice(2)]
`
const EXTENSION = `#!${NODE}
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2020-01-01/extension'
const run = async () => {
  const headers = { 'lambda-extension-name': 'watcher' }
  const body = JSON.stringify({ events: ['INVOKE', 'SHUTDOWN'] })
  const registered = await fetch(api + '/register', { method: 'POST', headers, body })
  const id = registered.headers.get('lambda-extension-identifier')
  for (;;) {
    const event = await (await fetch(api + '/event/next', { headers: { 'lambda-extension-identifier': id } })).json()
    console.log('extension saw ' + event.eventType)
    if (event.eventType === 'SHUTDOWN') process.exit()
  }
}
run()
`
const CONFIG: ImageConfig = {
  entrypoint: [NODE, '/app/main.js'],
  cmd: ['app.handler'],
  workingDirectory: '/app',
  environment: [['OWN', 'of the image']],
  user: '0',
}

export function describeImages(
  name: string,
  driver: (directory: string, logger: Logger) => Promise<SandboxDriver>,
): void {
  describe(`images with the ${name} driver`, () => {
    let rig: WorkerRig
    let root = ''
    before(async () => {
      rig = await createWorkerRig({
        driver,
        images: { prepare: async () => ({ root, config: CONFIG, unpackedBytes: 0 }) },
      })
      root = join(rig.directory, 'image')
      installNode(root)
      const put = (path: string, text: string) => {
        mkdirSync(dirname(join(root, path)), { recursive: true })
        writeFileSync(join(root, path), text, { mode: 0o755 })
      }
      put('app/main.js', runtime(WORK))
      put('app/other.js', runtime('return process.argv.slice(2)'))
      put('watched/extensions/watcher', EXTENSION)
    })
    after(() => rig[Symbol.asyncDispose]())

    const start = async (imageOverrides?: ImageOverrides) =>
      rig.start(
        await rig.function(
          {},
          {
            packageType: 'Image',
            image: {
              uri: 'registry.example/app:v1',
              resolvedUri: `registry.example/app@sha256:${'0'.repeat(64)}`,
            },
            handler: '',
            ...(imageOverrides && { imageOverrides }),
          },
        ),
      )
    const invoke = async (environment: Environment, event: unknown = 'e') => {
      const options = { logType: 'Tail' } as const
      const { payload, logTail } = await environment.invoke(invocationOf(environment.version, event), options)
      return {
        answer: JSON.parse(Buffer.from(payload).toString()),
        tail: Buffer.from(logTail ?? []).toString(),
      }
    }

    test('an image runs as it says itself, keeps its state and its /tmp, and logs without INIT_START', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await start()
      stack.defer(() => environment.stop())
      assert.deepEqual((await invoke(environment)).answer, [1, '1', 'e', 'app.handler'])
      assert.deepEqual((await invoke(environment)).answer, [2, '2', 'e', 'app.handler'])
      assert.deepEqual((await invoke(environment, 'see')).answer, [
        '/app',
        993,
        'of the image',
        null,
        '',
        'AWS_Lambda_Image',
        true,
      ])
      const lines = rig.log
        .filter(({ stream }) => stream.endsWith(environment.id))
        .map(({ message }) => message)
      assert.equal(lines[0], 'booted app.handler')
      assert.match(lines[1] ?? '', /^START RequestId/)
    })

    test('the function overrides entry point, command and working directory', async () => {
      await using stack = new AsyncDisposableStack()
      const environment = await start({
        entryPoint: [NODE, 'other.js'],
        command: ['a', 'b'],
        workingDirectory: '/app',
      })
      stack.defer(() => environment.stop())
      assert.deepEqual((await invoke(environment)).answer, ['a', 'b'])
      const elsewhere = await start({ workingDirectory: '/tmp' })
      stack.defer(() => elsewhere.stop())
      assert.equal((await invoke(elsewhere, 'see')).answer[0], '/tmp')
    })

    test('what can not be started, and exits, are what they are in AWS', async () => {
      await using stack = new AsyncDisposableStack()
      const missing = await start({ entryPoint: ['/none'] })
      stack.defer(() => missing.stop())
      const { answer, tail } = await invoke(missing)
      assert.equal(answer.errorType, 'Runtime.InvalidEntrypoint')
      assert.match(
        answer.errorMessage,
        /^RequestId: \S+ Error: fork\/exec \/none: no such file or directory$/,
      )
      assert.match(tail, /Status: error\tError Type: Runtime.InvalidEntrypoint\n/)
      const environment = await start()
      stack.defer(() => environment.stop())
      const exit = await invoke(environment, 'exit')
      assert.match(exit.answer.errorMessage, / Error: Runtime exited with error: exit status 7$/)
      // /tmp is kept, the process is another one.
      assert.deepEqual((await invoke(environment)).answer, [1, '1', 'e', 'app.handler'])
    })

    test('extensions of the image start with it', async () => {
      await using stack = new AsyncDisposableStack()
      symlinkSync('/watched', join(root, 'opt'))
      const environment = await start()
      stack.defer(() => environment.stop())
      const { tail } = await invoke(environment)
      assert.match(tail, /extension saw INVOKE/)
      assert.match(tail, /EXTENSION\tName: watcher\tState: Ready\tEvents: \[INVOKE, ?SHUTDOWN\]/)
    })

    test('leaves no environment and no warning', () => {
      assert.equal(rig.worker.capacity().environments, 0)
      assert.deepEqual(rig.warnings, [])
    })
  })
}
