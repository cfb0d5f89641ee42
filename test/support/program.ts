/** Starts the real program, as its users do, for end-to-end tests. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const READY = /^lambent ready on (http:\/\/\S+)$/m
const START_DEADLINE_MS = 60_000
const STOP_DEADLINE_MS = 30_000

export interface Program {
  readonly endpoint: string
  readonly port: number
  readonly dataDirectory: string
  /** Everything it printed so far. */
  output(): string
  /** Ends it as an operator would (SIGTERM) and waits until it is gone. */
  stop(): Promise<void>
  /** Kills the serving process itself with SIGKILL, as a crash would. */
  kill9(): Promise<void>
  readonly child: ChildProcess
}

export interface ProgramOptions {
  readonly dataDirectory?: string
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Programs that run now, so that nobody's directory is removed under them. */
const running = new Set<Program>()

/**
 * A fresh directory that is gone after the test. Hooks run in the order they were set, so a program in it that the test
 * stops by a later hook is stopped here.
 */
export async function temporaryDirectory(
  t: { after(run: () => Promise<void>): void },
  name = 'lambent-e2e-',
) {
  const directory = await mkdtemp(join(tmpdir(), name))
  t.after(async () => {
    for (const program of running) {
      if (program.dataDirectory.startsWith(directory)) await program.stop()
    }
    await rm(directory, { recursive: true, force: true, maxRetries: 5 })
  })
  return directory
}

/**
 * Starts the program on a free port and waits for its ready line. Runs the entry under this very Node, so that both
 * Node lines are tested. The caller stops it.
 */
export async function startProgram(options: ProgramOptions = {}): Promise<Program> {
  const own = options.dataDirectory === undefined
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), 'lambent-e2e-')))
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--conditions=source',
      join(root, 'src/bin/serve.ts'),
      '--port=0',
      `--data=${dataDirectory}`,
      '--no-examples',
      ...(options.args ?? []),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], cwd: root, env: { ...process.env, ...options.env } },
  )
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const gone = once(child, 'exit')
  const endpoint = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`No ready line within ${START_DEADLINE_MS} ms:\n${output}`))
    }, START_DEADLINE_MS)
    const look = () => {
      const found = READY.exec(output)?.[1]
      if (found === undefined) return
      clearTimeout(timer)
      child.stdout?.off('data', look)
      resolve(found)
    }
    child.stdout?.on('data', look)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      reject(new Error(`The program ended (${code ?? signal}) before it was ready:\n${output}`))
    })
  })
  const ended = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS)
    await gone
    clearTimeout(timer)
    running.delete(program)
  }
  const program: Program = {
    endpoint,
    port: Number(new URL(endpoint).port),
    dataDirectory,
    output: () => output,
    child,
    kill9: () => ended('SIGKILL'),
    stop: async () => {
      await ended('SIGTERM')
      if (own) await rm(dataDirectory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
  running.add(program)
  return program
}
