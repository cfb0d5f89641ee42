/** One source for each registry, so that what it wants to see is asked for once. */
import type { ImageSource } from '../source.ts'
import { createRemoteSource, type RemoteSourceOptions } from './remote-source.ts'

/** Registries whose tokens are remembered; one more and all are asked for anew. */
const MAX_REGISTRIES = 64

export function createRemoteSources(
  options: Omit<RemoteSourceOptions, 'host'>,
): (host: string) => ImageSource {
  const known = new Map<string, ImageSource>()
  return (host) => {
    const there = known.get(host)
    if (there) return there
    if (known.size >= MAX_REGISTRIES) known.clear()
    const source = createRemoteSource({ ...options, host })
    known.set(host, source)
    return source
  }
}
