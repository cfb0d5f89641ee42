/** Our own registry over HTTP: the OCI distribution specification, push and pull, below /v2/. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

import { LambdaError } from '#contracts/errors.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Logger } from '#observability/port.ts'
import type { Blobs } from '#store/port.ts'
import { discardRest, hasBody } from '#wire/request-body.ts'

import { ImageRefused } from '../image-refused.ts'
import type { OwnRepository } from '../reference.ts'
import { json, type Answer } from './answer.ts'
import { createBlobRequests } from './blob-requests.ts'
import { createManifestRequests } from './manifest-requests.ts'
import { RegistryError } from './registry-error.ts'
import { routeOf, type Route } from './registry-route.ts'
import type { Repositories } from './repositories.ts'
import type { Uploads } from './uploads.ts'

/** Who asks, by the request's token; throws UNAUTHORIZED or DENIED. */
export type RegistryAccess = (request: IncomingMessage) => {
  /** The repository that a name in the path means. */
  locate(name: string): OwnRepository
  /** Rejects with DENIED or AWS's AccessDeniedException when the caller may not do this. */
  mayDo(operation: string, repository: OwnRepository): Promise<void>
}

/** Answers what is below /v2/; false at once for any other path. */
export type RegistryDoor = (request: IncomingMessage, response: ServerResponse) => boolean

/** A client that takes nothing of a blob for this long is cut off. */
const CLIENT_IDLE_MS = 60_000

/** What AWS's registry makes of a request, and what policies name (developer guide; of tags and referrers unverified). */
const OPERATIONS: Readonly<Record<string, string>> = {
  'GET manifest': 'BatchGetImage',
  'PUT manifest': 'PutImage',
  'DELETE manifest': 'BatchDeleteImage',
  'HEAD blob': 'BatchCheckLayerAvailability',
  'GET blob': 'GetDownloadUrlForLayer',
  'POST uploads': 'InitiateLayerUpload',
  'GET upload': 'UploadLayerPart',
  'PATCH upload': 'UploadLayerPart',
  'DELETE upload': 'UploadLayerPart',
  'PUT upload': 'CompleteLayerUpload',
  'GET tags': 'ListImages',
  'GET referrers': 'BatchGetImage',
}

export function createRegistryDoor(options: {
  readonly access: RegistryAccess
  readonly repositories: Repositories
  readonly uploads: Uploads
  readonly blobs: Blobs
  readonly clock: Clock
  readonly logger: Logger
}): RegistryDoor {
  const { access, repositories, uploads, clock, logger } = options
  const blob = createBlobRequests(options)
  const manifest = createManifestRequests(options)

  const answer = async (request: IncomingMessage): Promise<Answer> => {
    const { locate, mayDo } = access(request)
    const url = new URL(request.url ?? '/', 'http://registry')
    const route = routeOf(url.pathname)
    if (!route) throw new RegistryError('UNSUPPORTED', 'There is nothing at this path', 404)
    if (route.kind === 'base') return json(200, {})
    const method = request.method === 'HEAD' ? 'GET' : (request.method ?? '')
    const query = url.searchParams
    const operation = OPERATIONS[`${request.method} ${route.kind}`] ?? OPERATIONS[`${method} ${route.kind}`]
    if (operation === undefined) {
      throw new RegistryError('UNSUPPORTED', 'The registry does not support this operation')
    }
    const located = locate(route.name)
    await mayDo(operation, located)
    // In answers it has the name that the client knows.
    const repository = { ...(await repositories.require(located, located.name)), name: route.name }
    /** The repository that a blob is to be taken over from. */
    const mountedFrom = async (query: URLSearchParams) => {
      const from = query.get('from')
      if (from === null || !query.has('mount')) return undefined
      const source = locate(from)
      await mayDo('GetDownloadUrlForLayer', source)
      return repositories.find(source, source.name)
    }
    switch (`${method} ${route.kind}` as `${'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE'} ${Route['kind']}`) {
      case 'GET manifest':
        return manifest.readManifest(repository, at(route, 'manifest').reference)
      case 'PUT manifest':
        return manifest.writeManifest(repository, at(route, 'manifest').reference, request)
      case 'DELETE manifest':
        return manifest.deleteManifest(repository, at(route, 'manifest').reference)
      case 'GET blob':
        return blob.readBlob(repository, at(route, 'blob').digest, request)
      case 'POST uploads':
        return blob.beginUpload(repository, await mountedFrom(query), query, request)
      case 'GET upload':
        return blob.uploadAnswer(repository.name, uploads.find(repository.id, at(route, 'upload').id), 204)
      case 'PATCH upload':
        return blob.continueUpload(
          uploads.find(repository.id, at(route, 'upload').id),
          repository.name,
          request,
        )
      case 'PUT upload':
        return blob.finish(
          repository,
          uploads.find(repository.id, at(route, 'upload').id),
          query.get('digest') ?? '',
          request,
        )
      case 'DELETE upload':
        await uploads.cancel(uploads.find(repository.id, at(route, 'upload').id))
        return { status: 204 }
      case 'GET tags':
        return manifest.listTags(repository, query)
      case 'GET referrers':
        return manifest.listReferrers(repository, at(route, 'referrers').digest, query)
      default:
        throw new RegistryError('UNSUPPORTED', 'The registry does not support this operation')
    }
  }

  const failure = (error: unknown): Answer => {
    if (error instanceof RegistryError) {
      const challenge =
        error.code === 'UNAUTHORIZED'
          ? { 'www-authenticate': 'Basic realm="Lambent",service="ecr.amazonaws.com"' }
          : {}
      return json(error.status, { errors: [{ code: error.code, message: error.message }] }, challenge)
    }
    if (error instanceof ImageRefused) {
      return json(400, { errors: [{ code: 'MANIFEST_INVALID', message: error.message }] })
    }
    if (error instanceof LambdaError) {
      return json(error.status ?? 400, { errors: [{ code: 'DENIED', message: error.message }] })
    }
    logger.error('The registry failed unexpectedly', {
      error: error instanceof Error ? error.stack : String(error),
    })
    return json(500, { errors: [{ code: 'UNKNOWN', message: 'An internal error occurred' }] })
  }

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (request.headers.expect !== undefined) response.writeContinue()
    let told: Answer
    try {
      told = await answer(request)
    } catch (error) {
      if (request.destroyed && !request.complete) return
      told = failure(error)
    }
    const isUnread = !request.complete && hasBody(request)
    response.writeHead(told.status, {
      'docker-distribution-api-version': 'registry/2.0',
      ...told.headers,
      ...(isUnread && { connection: 'close' }),
    })
    if (isUnread) void discardRest(request, clock)
    if (request.method === 'HEAD' || !told.open) {
      response.end(request.method === 'HEAD' ? undefined : told.body)
      return
    }
    response.setTimeout(CLIENT_IDLE_MS, () => response.destroy())
    await pipeline(await told.open(), response)
  }

  return (request, response) => {
    if (!/^\/v2(?:\/|\?|$)/.test(request.url ?? '')) return false
    serve(request, response).catch((error: unknown) => {
      // The client went away, or a file could not be read: it must not take this for a whole answer.
      logger.debug('A registry answer was not sent', { error: String(error) })
      response.destroy()
    })
    return true
  }
}

/** The route's own type, where its kind has just been looked at as part of a text. */
function at<Kind extends Route['kind']>(route: Route, kind: Kind): Extract<Route, { readonly kind: Kind }> {
  if (route.kind !== kind) throw new TypeError(`The route is "${route.kind}", not "${kind}"`)
  return route as Extract<Route, { readonly kind: Kind }>
}
