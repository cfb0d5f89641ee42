/** Does the signing jobs: fetches the package, signs it, stores the result. What a crash left open is done again. */
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

import { ArchiveRefused } from '#archives/archive-refused.ts'
import { openZipSource } from '#archives/zip-source.ts'
import type { Scope } from '#contracts/arn.ts'
import { LambdaError } from '#contracts/errors.ts'
import { MAX_UNZIPPED_BYTES } from '#contracts/limits.ts'
import {
  OPEN_SIGNING_JOBS,
  openSigningJobKey,
  signingJobArn,
  signingJobKey,
  signingProfileVersionArn,
  type SigningJob,
} from '#contracts/signer.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Component } from '#kernel/lifecycle.ts'
import type { Sealer } from '#kernel/sealed.ts'
import { createSemaphore } from '#kernel/semaphore.ts'
import { HOUR_MS, MINUTE_MS } from '#kernel/units.ts'
import type { Logger } from '#observability/port.ts'
import { createSigner, type Identity } from '#signatures/certificates.ts'
import type { Claims } from '#signatures/cms.ts'
import { NotSignable, signPackage } from '#signatures/sign-package.ts'
import type { Meta } from '#store/port.ts'

import { allRows } from '../iam/paging.ts'
import { commit, docOf, put, read, remove } from '../iam/documents.ts'
import { openAuthority } from './authority.ts'
import type { SigningBucket } from './port.ts'

export interface JobRunner extends Component {
  /** Whether another job may be started. */
  readonly hasRoom: boolean
  /** Does a stored job in the background and records how it went. */
  run(job: SigningJob): void
}

/** Where the job puts its result (measured against AWS by others). */
export const resultKey = ({ id, source, destination }: SigningJob) =>
  `${destination.prefix}${id}${source.key.endsWith('.zip') ? '.zip' : ''}`

const PARALLEL = 2
const MAX_JOBS = 1000
const JOB_TIMEOUT_MS = 10 * MINUTE_MS
/** A signer's certificate is for one signature; clocks may differ a little. */
const SIGNER_VALID_MS = 24 * HOUR_MS
const SIGNER_NAME = 'Lambent Signer'

export function createJobRunner(deps: {
  readonly meta: Meta
  readonly sealer: Sealer
  readonly clock: Clock
  readonly logger: Logger
  /** Undefined when no S3-compatible endpoint is configured: then every job fails. */
  readonly bucket: SigningBucket | undefined
  /** Where packages are kept while they are signed. Created when missing. */
  readonly temporaryDirectory: string
}): JobRunner {
  const { meta, clock, logger, bucket, temporaryDirectory } = deps
  const places = createSemaphore({ places: PARALLEL })
  const running = new Set<Promise<void>>()
  const stopping = new AbortController()
  let isAccepting = true

  const sign = async (job: SigningJob, directory: string, signal: AbortSignal) => {
    if (!bucket) throw new NotSignable('The specified bucket does not exist')
    const authority = await openAuthority(deps)
    const path = join(directory, 'package.zip')
    const { bucketName, key, version } = job.source
    const { body } = await bucket.open({ bucket: bucketName, key, version }, signal)
    await save(body, path)
    const claims = {
      profileVersionArn: signingProfileVersionArn({
        account: job.profileAccount,
        region: job.region,
        name: job.profileName,
        version: job.profileVersion,
      }),
      jobArn: signingJobArn(job),
      signedAt: job.createdAt,
      expiresAt: job.expiresAt,
    }
    const signer = createSigner(authority, SIGNER_NAME, {
      fromMs: job.createdAt - SIGNER_VALID_MS,
      untilMs: job.createdAt + SIGNER_VALID_MS,
    })
    await addSignature(path, claims, { signer, authority: authority.certificate })
    await bucket.put({ bucket: job.destination.bucketName, key: resultKey(job) }, path, signal)
  }

  const record = (job: SigningJob, status: 'Succeeded' | 'Failed', statusReason: string) =>
    commit(meta, async () => {
      const key = signingJobKey(job, job.id)
      const before = await read<SigningJob>(meta, key)
      const done: SigningJob | undefined = before && {
        ...before.doc,
        status,
        statusReason,
        completedAt: clock.now(),
      }
      return {
        writes: [remove(openSigningJobKey(job.id)), ...(done ? [put(key, done, before?.rev)] : [])],
        result: undefined,
      }
    })

  const perform = async (job: SigningJob) => {
    const release = await places.acquire(stopping.signal)
    const deadline = new AbortController()
    const cancel = clock.after(JOB_TIMEOUT_MS, () => deadline.abort(new NotSignable('The job took too long')))
    const signal = AbortSignal.any([deadline.signal, stopping.signal])
    let directory: string | undefined
    try {
      await mkdir(temporaryDirectory, { recursive: true })
      directory = await mkdtemp(join(temporaryDirectory, 'signing-'))
      await sign(job, directory, signal)
      // Recorded from AWS by others.
      await record(job, 'Succeeded', 'Signing Succeeded')
    } catch (error) {
      // Cut short by the end of the program: the next start does it.
      if (stopping.signal.aborted) return
      const reason = deadline.signal.aborted ? deadline.signal.reason : error
      await record(job, 'Failed', reasonOf(reason) ?? 'Internal error')
      if (reasonOf(reason) === undefined) {
        logger.error('A signing job failed unexpectedly', { job: job.id, error: String(error) })
      }
    } finally {
      cancel()
      release()
      if (directory !== undefined) await rm(directory, { recursive: true, force: true })
    }
  }

  const run = (job: SigningJob) => {
    if (!isAccepting) return
    const done = perform(job)
      .catch((error: unknown) => {
        if (stopping.signal.aborted) return
        logger.error('A signing job could not be recorded', { job: job.id, error: String(error) })
      })
      .finally(() => running.delete(done))
    running.add(done)
  }

  return {
    get hasRoom() {
      return isAccepting && running.size < MAX_JOBS
    },
    run,
    async start() {
      for (const row of await allRows(meta, OPEN_SIGNING_JOBS)) {
        const { id, ...where } = docOf<Scope & { readonly id: string }>(row)
        const job = await read<SigningJob>(meta, signingJobKey(where, id))
        if (job) run(job.doc)
      }
    },
    async drain(deadlineMs) {
      isAccepting = false
      let cancel = () => {}
      const late = new Promise<void>((resolve) => {
        cancel = clock.after(deadlineMs, resolve)
      })
      await Promise.race([Promise.all(running), late])
      cancel()
    },
    async stop() {
      isAccepting = false
      stopping.abort(new Error('The signer stops'))
      await Promise.all(running)
    },
  }
}

/** What may be told of an error; undefined for those that nobody expected. */
const reasonOf = (error: unknown) =>
  error instanceof LambdaError || error instanceof NotSignable || error instanceof ArchiveRefused
    ? error.message
    : undefined

async function save(body: Readable, path: string): Promise<void> {
  try {
    let sizeBytes = 0
    await using file = await open(path, 'wx', 0o600)
    for await (const chunk of body as AsyncIterable<Buffer>) {
      sizeBytes += chunk.byteLength
      if (sizeBytes >= MAX_UNZIPPED_BYTES) throw new NotSignable('The object is too large')
      await file.writeFile(chunk)
    }
  } finally {
    body.destroy()
  }
}

/** Signs the package in its file. */
async function addSignature(
  path: string,
  claims: Claims,
  identity: { readonly signer: Identity; readonly authority: Uint8Array },
): Promise<void> {
  const source = openZipSource(path)
  try {
    const { keepBytes, tail } = await signPackage(source, claims, identity)
    await using file = await open(path, 'r+')
    await file.truncate(keepBytes)
    await file.write(tail, 0, tail.byteLength, keepBytes)
  } finally {
    source.close()
  }
}
