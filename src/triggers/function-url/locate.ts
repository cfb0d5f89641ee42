/** Finds the id of a function URL in a request: in its host name, or in a path for resolvers that don't know the host. */

const HOST = /^([a-z0-9]{32})\.lambda-url\.[a-z0-9-]+\./i
const PATH = /^\/_lambent\/url\/([a-z0-9]{32})(\/[^?]*)?$/

export interface LocatedUrl {
  readonly urlId: string
  /** The path as the function sees it. */
  readonly path: string
}

/** Undefined when the request is for something else. */
export function locateUrl(host: string | undefined, path: string): LocatedUrl | undefined {
  // Nearly every request is none of ours: a look for one letter spares it the patterns.
  const inHost = host !== undefined && host.length > 32 && host[32] === '.' ? HOST.exec(host)?.[1] : undefined
  if (inHost !== undefined) return { urlId: inHost.toLowerCase(), path }
  if (!path.startsWith('/_lambent/url/')) return undefined
  const [, urlId, rest] = PATH.exec(path) ?? []
  return urlId === undefined ? undefined : { urlId, path: rest ?? '/' }
}
