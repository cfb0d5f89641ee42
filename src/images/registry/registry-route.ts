/** Paths of the distribution API: `/v2/NAME/KIND/...`, where a name has slashes of its own. */
import { isDigest, isRepository, isTag } from '../reference.ts'
import { RegistryError } from './registry-error.ts'

export type Route =
  | { readonly kind: 'base' }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: string }
  | { readonly kind: 'uploads'; readonly name: string }
  | { readonly kind: 'upload'; readonly name: string; readonly id: string }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: string }

const PATHS =
  /^\/v2\/(?<name>.+)\/(?:(?<tags>tags\/list)|manifests\/(?<manifest>[^/]+)|referrers\/(?<referrers>[^/]+)|blobs\/(?:(?<uploads>uploads\/?)|uploads\/(?<upload>[^/]+)|(?<blob>[^/]+)))$/
const MAX_NAME_LENGTH = 256

/** Throws NAME_INVALID, DIGEST_INVALID or TAG_INVALID; undefined for a path that means nothing. */
export function routeOf(path: string): Route | undefined {
  if (path === '/v2' || path === '/v2/') return { kind: 'base' }
  const groups = PATHS.exec(path)?.groups
  if (!groups) return undefined
  const { name = '', tags, manifest, referrers, uploads, upload, blob } = groups
  if (name.length > MAX_NAME_LENGTH || !isRepository(name)) {
    throw new RegistryError('NAME_INVALID', 'The name is no name of a repository')
  }
  const digest = (text: string) => {
    const decoded = text.replace('%3A', ':').replace('%3a', ':')
    if (!isDigest(decoded)) throw new RegistryError('DIGEST_INVALID', 'The digest is no SHA-256')
    return decoded
  }
  if (tags !== undefined) return { kind: 'tags', name }
  if (referrers !== undefined) return { kind: 'referrers', name, digest: digest(referrers) }
  if (uploads !== undefined) return { kind: 'uploads', name }
  if (upload !== undefined) return { kind: 'upload', name, id: upload }
  if (blob !== undefined) return { kind: 'blob', name, digest: digest(blob) }
  const reference = manifest ?? ''
  if (!isTag(reference)) return { kind: 'manifest', name, reference: digest(reference) }
  return { kind: 'manifest', name, reference }
}
