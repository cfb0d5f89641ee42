/** The control plane over the memory store, with the smallest code store, layers and preparer that do their job. */
import { createHash } from 'node:crypto'

import type { Scope } from '#contracts/arn.ts'
import { createPackageKeys } from '#contracts/package-keys.ts'
import { createEnvironmentVault } from '#contracts/environment-vault.ts'
import { createFilterVault } from '#contracts/filter-vault.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import type { ScalingLimits } from '#contracts/capacity-provider.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import type { EventSourceMapping } from '#contracts/mapping.ts'
import { readSubnets } from '#bin/host-mappings.ts'
import { createLambdaOperations } from '#control-plane/api/operations.ts'
import {
  createFunctionScalingDriver,
  withManagedInstances,
} from '#control-plane/capacity-providers/function-scaling.ts'
import { createProviderLifecycle } from '#control-plane/capacity-providers/provider-lifecycle.ts'
import { createActivation } from '#control-plane/functions/activation.ts'
import { createMappingProgress } from '#control-plane/mappings/mapping-progress.ts'
import type {
  CodeStore,
  LayerResolver,
  ManagedCapacity,
  MappingPollers,
  Preparer,
} from '#control-plane/port.ts'
import { seededRandom } from '#kernel/random.ts'
import { createSealer } from '#kernel/sealed.ts'
import { createVirtualClock } from '#kernel/virtual-clock.ts'
import type { Logger } from '#observability/port.ts'
import { createMemoryStore } from '#store/memory/memory-store.ts'
import type { Meta, Store } from '#store/port.ts'
import type { OperationHandler } from '#wire/service.ts'

import { createTestKeys } from './customer-keys.ts'
import { createTestImages } from './test-images.ts'

export const ACCOUNT = '000000000000'
export const REGION = 'us-east-1'
export const ROLE = `arn:aws:iam::${ACCOUNT}:role/lambda`
export const SCOPE: Scope = { account: ACCOUNT, region: REGION }
export const arnOf = (name: string, qualifier?: string) =>
  `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${name}${qualifier === undefined ? '' : `:${qualifier}`}`

export const zip = (content = 'one') => Buffer.from(`PK ${content}`)
export const sha256 = (content: Uint8Array, encoding: 'base64' | 'hex' = 'base64') =>
  createHash('sha256').update(content).digest(encoding)

const quiet: Logger = { debug() {}, info() {}, warn() {}, error() {} }

function createTestCodeStore(store: Store, stored: string[]): CodeStore {
  const keep = async (content: Uint8Array) => {
    if (!Buffer.from(content).toString().startsWith('PK')) {
      throw invalidParameter(
        'Could not unzip uploaded file. Please check your file, then try to upload again.',
      )
    }
    const blob = sha256(content, 'hex')
    stored.push(blob)
    await store.blobs.put(blob, content)
    const unzipped = /unzipped=(\d+)/.exec(Buffer.from(content).toString())?.[1]
    return {
      blob,
      codeSha256: sha256(content),
      sizeBytes: content.byteLength,
      unzippedBytes: Number(unzipped ?? content.byteLength),
    }
  }
  return {
    fromZip: keep,
    fromBucket: (source) => keep(zip(`${source.bucket}/${source.key}@${source.version ?? ''}`)),
    location: (pkg, { endpoint }) => `${endpoint}/code/${pkg.blob}`,
  }
}

const testLayers: LayerResolver = {
  resolve: async (arns) =>
    arns.map((arn) => {
      if (arn.includes('missing')) throw invalidParameter(`Layer version ${arn} does not exist.`)
      const bytes = Number(/bytes-(\d+)/.exec(arn)?.[1] ?? 10)
      return { arn, codeSizeBytes: 10, blob: 'ab', unzippedBytes: bytes }
    }),
}

/** Prepares at once, or holds everything until told how it ends. */
export interface TestPreparer extends Preparer {
  /** From now on preparations wait; the returned function ends those that began since, well or with an error. */
  hold(): (error?: Error) => void
  /** Ends what `hold` began last. */
  release(error?: Error): void
  readonly prepared: readonly FunctionVersion[]
}

export function createTestPreparer(): TestPreparer {
  const prepared: FunctionVersion[] = []
  let gate: Promise<void> | undefined
  let open: ((error?: Error) => void) | undefined
  return {
    prepared,
    async prepare(version) {
      prepared.push(version)
      await gate
    },
    hold() {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      promise.catch(() => {})
      gate = promise
      open = (error) => (error ? reject(error) : resolve())
      return open
    },
    release(error) {
      open?.(error)
      gate = undefined
    },
  }
}

/** Applies mappings at once, or holds them until it is released. */
export interface TestPollers extends MappingPollers {
  hold(): void
  /** Ends what is held; with an error it is asked again later. */
  release(error?: Error): void
  readonly applied: readonly EventSourceMapping[]
}

export function createTestPollers(): TestPollers {
  const applied: EventSourceMapping[] = []
  let gate: PromiseWithResolvers<void> | undefined
  return {
    applied,
    async apply(mapping) {
      applied.push(mapping)
      await gate?.promise
    },
    hold() {
      gate = Promise.withResolvers<void>()
      gate.promise.catch(() => {})
    },
    release(error) {
      if (error) gate?.reject(error)
      else gate?.resolve()
      gate = undefined
    },
  }
}

/** Remembers what it was told to keep; fails with the error it is given. */
export interface TestCapacity extends ManagedCapacity {
  readonly applied: readonly { readonly version: FunctionVersion; readonly limits: ScalingLimits }[]
  failWith(error: Error | undefined): void
}

function createTestCapacity(): TestCapacity {
  const applied: { version: FunctionVersion; limits: ScalingLimits }[] = []
  let failure: Error | undefined
  return {
    applied,
    failWith(error) {
      failure = error
    },
    async apply(version, limits) {
      if (failure) throw failure
      applied.push({ version, limits })
    },
  }
}

export interface Failure {
  readonly code: string
  readonly message: string
  readonly status: number | undefined
}

export function createControlPlane(
  options: { readonly meta?: (meta: Meta) => Meta; readonly store?: Store } = {},
) {
  const clock = createVirtualClock()
  const random = seededRandom(7)
  const store = options.store ?? createMemoryStore({ clock })
  const meta = options.meta?.(store.meta) ?? store.meta
  const preparer = createTestPreparer()
  const capacity = createTestCapacity()
  const providerLifecycle = createProviderLifecycle({ meta, clock, logger: quiet })
  const scaling = createFunctionScalingDriver({ meta, capacity, clock, random, logger: quiet })
  const activation = createActivation({
    meta,
    preparer: withManagedInstances(preparer, scaling),
    clock,
    random,
    logger: quiet,
  })
  const pollers = createTestPollers()
  const mappingProgress = createMappingProgress({ meta, pollers, clock, logger: quiet })
  const sealer = createSealer(new Uint8Array(32).fill(3))
  const { keys, kms } = createTestKeys()
  const storedBlobs: string[] = []
  const images = createTestImages()
  const operations = createLambdaOperations({
    meta,
    activation,
    mappingProgress,
    providerLifecycle,
    scaling,
    codeStore: createTestCodeStore(store, storedBlobs),
    images,
    layers: testLayers,
    hostResources: { subnets: readSubnets(''), hasFileSystem: (arn) => arn.includes('fsap-0') },
    environments: createEnvironmentVault({ sealer, keys }),
    filters: createFilterVault(keys),
    packageKeys: createPackageKeys(keys),
    clock,
    random,
  })

  const invoke = async (operation: string, input: object, where: Scope = SCOPE) => {
    const handler = operations[operation] as OperationHandler<object, object> | undefined
    if (!handler) throw new Error(`No operation ${operation}`)
    return await handler(input, {
      ...where,
      requestId: 'request',
      principal: { account: where.account, arn: `arn:aws:iam::${where.account}:root`, accessKeyId: 'test' },
      endpoint: 'http://127.0.0.1:4566',
      signal: new AbortController().signal,
      traceId: undefined,
    })
  }
  /** The answer's body as a client reads it. */
  const call = async (operation: string, input: object, where?: Scope) => {
    // eslint-disable-next-line typescript/no-explicit-any -- bodies are compared and picked apart freely in tests
    return JSON.parse(JSON.stringify(await invoke(operation, input, where))) as Record<string, any>
  }
  /** The error that the operation must end in. */
  const fail = async (operation: string, input: object, where?: Scope): Promise<Failure> => {
    try {
      await invoke(operation, input, where)
    } catch (error) {
      if (error instanceof LambdaError) {
        return { code: error.code, message: error.message, status: error.status }
      }
      throw error
    }
    throw new Error(`${operation} should have failed`)
  }
  /** Lets everything that runs in the background come to rest. */
  const settle = async () => {
    for (let turn = 0; turn < 30; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
  }
  const create = async (name: string, more: object = {}) => {
    const answer = await call('CreateFunction', {
      FunctionName: name,
      Runtime: 'nodejs22.x',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile: zip() },
      ...more,
    })
    await settle()
    return answer
  }
  const documents = async () => (await store.meta.list('', '', 10_000)).map(({ key }) => key)
  return {
    kms,
    operations,
    store,
    meta,
    clock,
    random,
    preparer,
    capacity,
    providerLifecycle,
    scaling,
    activation,
    pollers,
    mappingProgress,
    storedBlobs,
    images,
    call,
    fail,
    invoke,
    settle,
    create,
    documents,
  }
}

/** Replaces what differs from run to run, by the names of the members. */
export function normalise(body: unknown): unknown {
  const uuids = new Map<string, string>()
  const visit = (value: unknown, name: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => visit(item, name))
    if (value !== null && typeof value === 'object') {
      return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(item, key)]))
    }
    if (typeof value !== 'string') return value
    if (name === 'RevisionId') {
      if (!uuids.has(value)) uuids.set(value, `<uuid:${uuids.size + 1}>`)
      return uuids.get(value)
    }
    if (name === 'LastModified') return value.replace(/\d/g, '9')
    if (name === 'ConfigSha256' || name === 'RuntimeVersionArn') return `<${name}>`
    return value
  }
  return visit(body, '')
}

/** The body that AWS answers for a function with nothing but defaults (recorded), while it is being created. */
export const CREATED = {
  Architectures: ['x86_64'],
  CodeSha256: sha256(zip()),
  CodeSize: zip().byteLength,
  ConfigSha256: '<ConfigSha256>',
  Description: '',
  EphemeralStorage: { Size: 512 },
  FunctionArn: arnOf('fn'),
  FunctionName: 'fn',
  Handler: 'index.handler',
  LastModified: '9999-99-99T99:99:99.999+9999',
  LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/fn' },
  MemorySize: 128,
  PackageType: 'Zip',
  RevisionId: '<uuid:1>',
  Role: ROLE,
  Runtime: 'nodejs22.x',
  RuntimeVersionConfig: { RuntimeVersionArn: '<RuntimeVersionArn>' },
  SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
  State: 'Pending',
  StateReason: 'The function is being created.',
  StateReasonCode: 'Creating',
  Timeout: 3,
  TracingConfig: { Mode: 'PassThrough' },
  Version: '$LATEST',
}
const { StateReason: _reason, StateReasonCode: _code, ...rest } = CREATED

/** The same function once it is Active. */
export const ACTIVE = { ...rest, State: 'Active', LastUpdateStatus: 'Successful' }
const { State: _state, RuntimeVersionConfig: _runtime, ...listed } = rest
/** The same function in a list. */
export const LISTED = listed

/** The same function while an update is in progress. */
export const UPDATING = {
  ...ACTIVE,
  LastUpdateStatus: 'InProgress',
  LastUpdateStatusReason: 'The function is being created.',
  LastUpdateStatusReasonCode: 'Creating',
}

export const INPUT = {
  FunctionName: 'fn',
  Runtime: 'nodejs22.x',
  Handler: 'index.handler',
  Role: ROLE,
  Code: { ZipFile: zip() },
}
