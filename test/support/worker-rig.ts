/** A worker with real parts: driver, sessions, blobs, archives. Only the log sink is a list. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ZipFile } from 'yazl'

import { functionArn } from '#contracts/arn.ts'
import { environmentContext, type FunctionVersion } from '#contracts/function.ts'
import type { GuestInvocation } from '#contracts/invocation.ts'
import { findRuntime } from '#contracts/runtime.ts'
import { runtimeSessions } from '#data-plane/runtime-api/sessions.ts'
import type { SandboxDriver } from '#data-plane/sandbox/port.ts'
import { createWorker, type WorkerOptions } from '#data-plane/worker/create-worker.ts'
import type { Environment, Worker } from '#data-plane/worker/port.ts'
import { createRuntimeFiles } from '#data-plane/worker/runtimes/runtime-files.ts'
import { systemClock } from '#kernel/clock.ts'
import { systemRandom } from '#kernel/random.ts'
import { createSealer } from '#kernel/sealed.ts'
import type { Logger } from '#observability/port.ts'
import { createMemoryBlobs } from '#store/memory/memory-blobs.ts'

import { aVersion } from './function-version.ts'

export type Files = Readonly<
  Record<string, string | { readonly text: string | Buffer; readonly mode: number }>
>

export async function zipOf(files: Files): Promise<Buffer> {
  const zip = new ZipFile()
  for (const [path, file] of Object.entries(files)) {
    const { text, mode } = typeof file === 'string' ? { text: file, mode: 0o644 } : file
    zip.addBuffer(Buffer.from(text), path, { mode: 0o100000 | mode })
  }
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** The Node that runs the tests serves its own version, so they need no network. */
export const OWN_NODE = `nodejs${process.versions.node.split('.')[0]}.x`

export interface WorkerRig extends AsyncDisposable {
  readonly worker: Worker
  readonly log: { readonly stream: string; readonly message: string; readonly timestamp: number }[]
  /** What the worker said about itself at warning level and above. */
  readonly warnings: string[]
  readonly directory: string
  function(
    files: Files,
    settings: Partial<FunctionVersion> & {
      readonly env?: Readonly<Record<string, string>>
      readonly layerFiles?: readonly Files[]
    },
  ): Promise<FunctionVersion>
  start(version: FunctionVersion): Promise<Environment>
}

const clientsDirectory = new URL('../../runtimes', import.meta.url).pathname

export async function createWorkerRig(options: {
  readonly driver: (directory: string, logger: Logger) => Promise<SandboxDriver>
  readonly maxMemoryMiB?: number
  /** Memory for runtimes that are booted ahead; none by default. */
  readonly poolMemoryMiB?: number
  readonly images?: WorkerOptions['images']
}): Promise<WorkerRig> {
  const directory = await mkdtemp(join(tmpdir(), 'lambent-worker-'))
  const warnings: string[] = []
  const complain = (message: string, fields?: unknown) =>
    void warnings.push(`${message} ${JSON.stringify(fields)}`)
  const logger: Logger = { debug() {}, info() {}, warn: complain, error: complain }
  const blobs = createMemoryBlobs({ clock: systemClock })
  const sealer = createSealer(Buffer.alloc(32, 7))
  const log: { stream: string; message: string; timestamp: number }[] = []
  const worker = createWorker({
    driver: await options.driver(directory, logger),
    sessions: runtimeSessions,
    blobs,
    packageKeys: { open: () => Promise.reject(new Error('Nothing is encrypted')) },
    environments: { open: async (id, sealed) => sealer.open(sealed, environmentContext(id)) },
    logSink: {
      append({ stream, events }) {
        for (const event of events) log.push({ stream, ...event })
      },
    },
    metrics: { count() {}, gauge() {}, observe() {} },
    logger,
    clock: systemClock,
    random: systemRandom,
    runtimes: createRuntimeFiles({
      runtimesDirectory: join(directory, 'runtimes'),
      logger,
      path: process.env['PATH'],
      fetchOnDemand: false,
    }),
    cacheDirectory: join(directory, 'cache'),
    clientsDirectory,
    ...(options.images && { images: options.images }),
    endpointUrl: 'http://127.0.0.1:4566',
    limits: { maxMemoryMiB: options.maxMemoryMiB ?? 4096, poolMemoryMiB: options.poolMemoryMiB ?? 0 },
  })
  await worker.start()

  const store = async (files: Files) => {
    const zip = await zipOf(files)
    const blob = createHash('sha256').update(zip).digest('hex')
    await blobs.put(blob, zip)
    return { blob, codeSha256: Buffer.from(blob, 'hex').toString('base64'), sizeBytes: zip.byteLength }
  }
  return {
    worker,
    log,
    warnings,
    directory,
    async function(files, { env, layerFiles = [], ...settings }) {
      const id = { account: '000000000000', region: 'us-east-1', name: settings.name ?? 'fn' }
      const layers = await Promise.all(layerFiles.map(store))
      return aVersion({
        ...id,
        runtime: OWN_NODE,
        handler: findRuntime(settings.runtime ?? OWN_NODE)?.defaultHandler ?? '',
        timeoutSeconds: 10,
        memoryMiB: 256,
        code: await store(files),
        layers: layers.map((layer, at) => ({
          arn: `arn:aws:lambda:us-east-1:000000000000:layer:l${at}:1`,
          codeSizeBytes: layer.sizeBytes,
          blob: layer.blob,
        })),
        logging: { format: 'Text', group: `/aws/lambda/${id.name}` },
        ...(env && { sealedEnvironment: sealer.seal(JSON.stringify(env), environmentContext(id)) }),
        ...settings,
      })
    },
    start: (version) => worker.startEnvironment(version, 'on-demand'),
    async [Symbol.asyncDispose]() {
      await worker.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

let requests = 0

export function invocationOf(version: FunctionVersion, event: unknown = {}): GuestInvocation {
  return {
    requestId: `00000000-0000-4000-8000-${String(++requests).padStart(12, '0')}`,
    payload: Buffer.from(JSON.stringify(event)),
    deadlineMs: Date.now() + version.timeoutSeconds * 1000,
    invokedFunctionArn: functionArn(version),
  }
}
