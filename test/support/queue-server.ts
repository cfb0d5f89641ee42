/** A foreign queue service that speaks SQS (moto's server, from PyPI), installed once into .cache beside the checkout. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'

import { SQSClient } from '@aws-sdk/client-sqs'

const DIRECTORY = join(import.meta.dirname, '..', '..', '.cache', 'queue-server')
const PYTHON = join(DIRECTORY, 'bin', 'python')
/** There when the installation was completed. */
const DONE = join(DIRECTORY, 'bin', 'moto_server')
const START_DEADLINE_MS = 60_000

/** The account that its queues belong to. */
export const QUEUE_ACCOUNT = '123456789012'

export interface QueueServer {
  readonly endpoint: string
  readonly sqs: SQSClient
  stop(): Promise<void>
}

/** Installs it when needed; or the reason why it can't be had here, for a skip. */
export function queueServerMissing(): string | undefined {
  try {
    if (!existsSync(DONE)) {
      execFileSync('python3', ['-m', 'venv', DIRECTORY], { stdio: 'pipe' })
      execFileSync(PYTHON, ['-m', 'pip', 'install', '--quiet', 'moto==5.2.5', 'flask', 'flask-cors'], {
        stdio: 'pipe',
      })
    }
    return undefined
  } catch (error) {
    return `moto cannot be installed: ${(error as Error).message.split('\n')[0]}`
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** The caller stops it. */
export async function startQueueServer(): Promise<QueueServer> {
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const child = spawn(PYTHON, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, MOTO_ACCOUNT_ID: QUEUE_ACCOUNT },
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4096)))
  const gone = once(child, 'exit')
  const until = Date.now() + START_DEADLINE_MS
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The queue server ended before it was ready:\n${said}`)
    const ready = await fetch(`${endpoint}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (ready) break
    if (Date.now() > until) {
      child.kill('SIGKILL')
      throw new Error(`The queue server was not ready in time:\n${said}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const sqs = new SQSClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  return {
    endpoint,
    sqs,
    async stop() {
      sqs.destroy()
      child.kill('SIGKILL')
      await gone
    },
  }
}
