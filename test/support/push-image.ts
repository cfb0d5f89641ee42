/** Pushes container images as any client of a registry does (the OCI distribution specification). */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'

const OCI = 'application/vnd.oci.image'

/** An image's own settings, in the words of the OCI image specification. */
export interface ImageSettings {
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly WorkingDir?: string
  readonly Env?: readonly string[]
  readonly User?: string
}

/** One layer: every file below a directory. */
export const layerOf = (directory: string): Buffer =>
  execFileSync('tar', ['-C', directory, '--owner=0', '--group=0', '-cf', '-', '.'], {
    maxBuffer: 1024 * 1024 * 1024,
  })

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Answers the digest of the manifest. Layers that the registry has already are not sent again. */
export async function pushImage(
  endpoint: string,
  name: { readonly repository: string; readonly tag: string },
  layers: readonly Buffer[],
  settings: ImageSettings,
): Promise<string> {
  const base = `${endpoint}/v2/${name.repository}`
  const put = async (bytes: Uint8Array) => {
    const digest = digestOf(bytes)
    const known = await fetch(`${base}/blobs/${digest}`, { method: 'HEAD' })
    if (known.ok) return digest
    const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST' })
    const location = new URL(begun.headers.get('location') ?? '', endpoint)
    location.searchParams.set('digest', digest)
    const headers = { 'content-type': 'application/octet-stream' }
    const done = await fetch(location, { method: 'PUT', headers, body: new Uint8Array(bytes) })
    if (done.status !== 201) throw new Error(`The blob was not taken: ${done.status} ${await done.text()}`)
    return digest
  }
  const described = async (bytes: Buffer, mediaType: string) => ({
    mediaType,
    digest: await put(bytes),
    size: bytes.length,
  })
  const blobs = []
  for (const layer of layers) blobs.push(await described(layer, `${OCI}.layer.v1.tar`))
  const configuration = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: settings,
    rootfs: { type: 'layers', diff_ids: blobs.map(({ digest }) => digest) },
  }
  const config = await described(Buffer.from(JSON.stringify(configuration)), `${OCI}.config.v1+json`)
  const mediaType = `${OCI}.manifest.v1+json`
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: blobs })
  const pushed = await fetch(`${base}/manifests/${name.tag}`, {
    method: 'PUT',
    headers: { 'content-type': mediaType },
    body: manifest,
  })
  if (pushed.status !== 201)
    throw new Error(`The manifest was not taken: ${pushed.status} ${await pushed.text()}`)
  return digestOf(Buffer.from(manifest))
}
