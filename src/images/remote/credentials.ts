/** Credentials of other registries, from a file as `docker login`, `skopeo login` and `podman login` write it. */
import { readFile, stat } from 'node:fs/promises'

export type RegistryCredentials =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  /** Traded for an access token where the registry says. */
  | { readonly kind: 'identity-token'; readonly token: string }

/** Read anew each time: people log in while the program runs. */
export type CredentialSource = (host: string) => Promise<RegistryCredentials | undefined>

const MAX_FILE_BYTES = 1024 * 1024

/**
 * `file` has an object `auths` by host name, as Docker's config.json. Helper programs that it may name are not asked.
 * Throws when the file can't be read or is none.
 */
export function createFileCredentials(file: string): CredentialSource {
  return async (host) => {
    if ((await stat(file)).size > MAX_FILE_BYTES) throw new Error(`The credentials file ${file} is too large`)
    const { auths = {} } = JSON.parse(await readFile(file, 'utf8')) as {
      readonly auths?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    }
    const entry = Object.entries(auths).find(([name]) => hostOf(name) === host)?.[1]
    if (!entry) return undefined
    const { auth, username, password, identitytoken } = entry
    if (typeof identitytoken === 'string' && identitytoken !== '') {
      return { kind: 'identity-token', token: identitytoken }
    }
    if (typeof username === 'string' && typeof password === 'string')
      return { kind: 'basic', user: username, password }
    const decoded = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString() : ''
    const colon = decoded.indexOf(':')
    if (colon === -1) return undefined
    return { kind: 'basic', user: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
  }
}

/** Old files have whole URLs. */
const hostOf = (name: string) => name.replace(/^https?:\/\//, '').split('/', 1)[0]
