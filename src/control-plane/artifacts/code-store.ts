import { createHash, webcrypto } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import type { ZipInput } from '#archives/zip-source.ts'
import { LambdaError, serviceFailure, throttled } from '#contracts/errors.ts'
import type { CodeSignature } from '#contracts/code-signing.ts'
import type { CodePackage } from '#contracts/function.ts'
import { MAX_UNZIPPED_BYTES, MAX_ZIP_BYTES } from '#contracts/limits.ts'
import type { BucketReader } from '#control-plane/artifacts/bucket-reader.ts'
import type { CodeLinks } from '#control-plane/artifacts/code-link.ts'
import {
  checkPackage,
  emptyPackage,
  unzippedTooLarge,
  zippedTooLarge,
} from '#control-plane/artifacts/package-checks.ts'
import { bucketError } from '#control-plane/artifacts/s3-error.ts'
import type { CodeStore } from '#control-plane/port.ts'
import type { PackageSealing } from '#contracts/package-keys.ts'
import type { Clock } from '#kernel/clock.ts'
import { SEALED_STREAM_BYTES, sealStream } from '#kernel/sealed-stream.ts'
import { createSemaphore, SemaphoreFull } from '#kernel/semaphore.ts'
import { MINUTE_MS } from '#kernel/units.ts'
import type { Blobs } from '#store/port.ts'

export interface CodeStoreOptions {
  readonly blobs: Blobs
  readonly links: CodeLinks
  /** Undefined when no S3-compatible endpoint is configured: then no bucket exists. */
  readonly bucket: BucketReader | undefined
  /** Where objects are kept while they are checked. Created when missing. */
  readonly temporaryDirectory: string
  /** Of a package that was found sound; undefined when it has no signature. */
  readonly verifySignature: (zip: ZipInput) => Promise<CodeSignature | undefined>
  readonly clock: Clock
}

type Package = CodePackage & { readonly unzippedBytes: number }
type Checked = Pick<Package, 'unzippedBytes' | 'signature'>

/** Transfers from buckets at once, each up to 250 MB on disk; the rest wait, up to this many. */
const TRANSFERS_AT_ONCE = 4
const MAX_WAITING_TRANSFERS = 64
const TRANSFER_TIMEOUT_MS = 5 * MINUTE_MS

export function createCodeStore(options: CodeStoreOptions): CodeStore {
  const { blobs, links, bucket, temporaryDirectory, verifySignature, clock } = options
  const transfers = createSemaphore({ places: TRANSFERS_AT_ONCE, maxWaiting: MAX_WAITING_TRANSFERS })

  const acquire = async () => {
    try {
      return await transfers.acquire()
    } catch (error) {
      throw error instanceof SemaphoreFull ? throttled('CallerRateLimitExceeded') : error
    }
  }

  const store = async (
    digest: Buffer,
    sizeBytes: number,
    checked: Checked,
    content: Readable | Uint8Array,
    sealing: PackageSealing | undefined,
  ): Promise<Package> => {
    const codeSha256 = digest.toString('base64')
    if (!sealing) {
      const blob = digest.toString('hex')
      await blobs.put(blob, content, MAX_UNZIPPED_BYTES)
      return { blob, codeSha256, sizeBytes, ...checked }
    }
    const readable = content instanceof Uint8Array ? Readable.from(piecesOf(content)) : content
    const blob = await putSealed(readable, sealing.key)
    return { blob, codeSha256, sizeBytes, ...checked, encryption: sealing.encryption }
  }

  /** By way of a file: the digest of what is stored is known only at its end. */
  const putSealed = async (content: Readable, key: Uint8Array): Promise<string> => {
    await mkdir(temporaryDirectory, { recursive: true })
    const directory = await mkdtemp(join(temporaryDirectory, 'sealed-'))
    try {
      const path = join(directory, 'package')
      const hash = createHash('sha256')
      const tee = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          hash.update(chunk)
          done(null, chunk)
        },
      })
      await pipeline(content, sealStream(key), tee, createWriteStream(path, { mode: 0o600 }))
      const blob = hash.digest('hex')
      await blobs.put(blob, createReadStream(path), MAX_UNZIPPED_BYTES + SEALED_STREAM_BYTES)
      return blob
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }

  const check = async (zip: ZipInput): Promise<Checked> => {
    const { unzippedBytes, isSigned } = await checkPackage(zip)
    const signature = isSigned ? await verifySignature(zip) : undefined
    return { unzippedBytes, ...(signature && { signature }) }
  }

  return {
    async fromZip(zip, sealing) {
      if (zip.byteLength === 0) throw emptyPackage()
      if (zip.byteLength >= MAX_ZIP_BYTES) throw zippedTooLarge()
      const checked = await check(zip)
      // On the thread pool: 50 MB take a tenth of a second.
      const digest = Buffer.from(await webcrypto.subtle.digest('SHA-256', zip as Uint8Array<ArrayBuffer>))
      return store(digest, zip.byteLength, checked, zip, sealing)
    },

    async fromBucket(source, sealing) {
      if (!bucket) {
        throw bucketError({ code: 'NoSuchBucket', message: 'The specified bucket does not exist' })
      }
      const release = await acquire()
      const deadline = new AbortController()
      const cancel = clock.after(TRANSFER_TIMEOUT_MS, () =>
        deadline.abort(new Error(`The transfer took more than ${TRANSFER_TIMEOUT_MS} ms`)),
      )
      let directory: string | undefined
      try {
        await mkdir(temporaryDirectory, { recursive: true })
        directory = await mkdtemp(join(temporaryDirectory, 'bucket-'))
        const path = join(directory, 'object.zip')
        const { body, sizeBytes } = await bucket.open(source, deadline.signal)
        const saved = await save(body, sizeBytes, path)
        const checked = await check(path)
        return await store(saved.digest, saved.sizeBytes, checked, createReadStream(path), sealing)
      } finally {
        cancel()
        release()
        if (directory !== undefined) await rm(directory, { recursive: true, force: true })
      }
    },

    location: (pkg, { endpoint, key }) => links.create(pkg.blob, endpoint, key),
  }
}

const PIECE_BYTES = 256 * 1024

/** Pieces between which others get their turn. */
function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES)
}

/** Writes the object to `path` and hashes it on the way. Throws as soon as it is larger than any package may be. */
async function save(body: Readable, announcedBytes: number | undefined, path: string) {
  try {
    // What is larger zipped than it may be unzipped needs no download.
    if ((announcedBytes ?? 0) >= MAX_UNZIPPED_BYTES) throw unzippedTooLarge()
    const hash = createHash('sha256')
    let sizeBytes = 0
    await using file = await open(path, 'wx', 0o600)
    for await (const chunk of body as AsyncIterable<Buffer>) {
      sizeBytes += chunk.byteLength
      if (sizeBytes >= MAX_UNZIPPED_BYTES) throw unzippedTooLarge()
      hash.update(chunk)
      await file.writeFile(chunk)
    }
    if (sizeBytes === 0) throw emptyPackage()
    return { digest: hash.digest(), sizeBytes }
  } catch (error) {
    if (error instanceof LambdaError) throw error
    throw serviceFailure('The object could not be read to its end', error)
  } finally {
    body.destroy()
  }
}
