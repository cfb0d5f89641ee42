/** Tells which service a request is for. Every AWS API shares one port. */
import type { LambdaError } from '#contracts/errors.ts'
import { notBuilt, unknownOperation } from '#wire/errors.ts'
import type { ServiceModel } from '#wire/model.ts'
import type { RequestHead } from '#wire/protocol.ts'
import { parseCredential, parseSignature, type Credential } from '#wire/sigv4-parse.ts'

export interface Locatable {
  readonly model: ServiceModel
  /** True when the service has an operation at this path, or for this query string; false for all others. */
  knows(path: string, query: string): boolean
}

export interface Location<Service> {
  readonly service: Service
  /** Of the request's signature, verified or not; undefined when there is none that can be read. */
  readonly credential: Credential | undefined
}

/**
 * In this order: the signature's scope, the target header, the first label of the host, the path and the query.
 * Throws `LambdaError` when nothing fits.
 */
export function createLocator<Service extends Locatable>(
  services: readonly Service[],
): (head: RequestHead) => Location<Service> {
  const bySigningName = new Map(services.map((service) => [service.model.signingName, service]))
  const byTarget = new Map(
    services.flatMap((service) => {
      const { targetPrefix } = service.model
      return targetPrefix === undefined ? [] : [[targetPrefix, service] as const]
    }),
  )

  return (head) => {
    const credential = parseCredential(parseSignature(head)?.credential)
    const signed = credential && bySigningName.get(credential.service)
    if (signed) return { service: signed, credential }
    const service =
      byTarget.get(prefixOf(head.headers['x-amz-target'])) ??
      bySigningName.get(firstLabel(head.headers.host)) ??
      services.find((each) => each.knows(head.path, head.query))
    if (service) return { service, credential }
    throw credential ? foreign(credential.service) : unknownOperation()
  }
}

const foreign = (service: string): LambdaError => notBuilt(service.slice(0, 64), 'any')

function prefixOf(target: string | string[] | undefined): string {
  return typeof target === 'string' ? target.slice(0, Math.max(0, target.lastIndexOf('.'))) : ''
}

/** `lambda` of `lambda.us-east-1.localhost:4566`. */
function firstLabel(host: string | undefined): string {
  const dot = host?.indexOf('.') ?? -1
  return host === undefined || dot === -1 ? '' : host.slice(0, dot)
}
