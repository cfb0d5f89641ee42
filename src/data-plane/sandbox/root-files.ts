/**
 * What a guest sees of the host: its programs and libraries, and the few files of /etc that they need. Everything else
 * (/root, /home, /var, the rest of /etc) does not exist inside.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** The guest's own host name, known to its /etc/hosts. AWS's have this form. */
export const HOST_NAME = '169-254-100-1'
/** AWS's own name and number of the user that functions run as (recorded from AWS). */
export const GUEST_USER = { name: 'sbx_user1051', uid: 993, gid: 990 } as const

const SYSTEM_DIRECTORIES = ['bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'] as const
/** Read-only from the host where they exist. */
const SHARED_ETC = [
  'alternatives',
  'ca-certificates.conf',
  'crypto-policies',
  'fonts',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'localtime',
  'mime.types',
  'pki/ca-trust',
  'pki/tls/certs',
  'protocols',
  'services',
  'ssl/certs',
  'ssl/openssl.cnf',
] as const
const EMPTY_DIRECTORIES = [
  'dev',
  'etc',
  'mnt',
  'opt',
  'proc',
  'run',
  'sys',
  'tmp',
  'usr',
  'var/cache',
  'var/lang',
  'var/runtime',
  'var/task',
] as const

export interface RootMount {
  readonly source: string
  /** Absolute path inside. */
  readonly target: string
}

/** A directory that is the guest's root without its mounts, and the host's paths to mount on it read-only. */
export interface RootFiles {
  readonly directory: string
  readonly mounts: readonly RootMount[]
  /** Path inside of our init program, for a root that may hold no shell; undefined: /bin/sh does what it does. */
  readonly init?: string
}

/** Makes the root anew at `directory`; every sandbox of a driver shares it, read-only. */
export function makeRoot(directory: string, options: { readonly nameServers: readonly string[] }): RootFiles {
  rmSync(directory, { recursive: true, force: true })
  const mounts: RootMount[] = [{ source: '/usr', target: '/usr' }]
  for (const name of EMPTY_DIRECTORIES) mkdirSync(join(directory, name), { recursive: true, mode: 0o755 })
  for (const name of SYSTEM_DIRECTORIES) {
    const source = `/${name}`
    if (!existsSync(source)) continue
    if (lstatSync(source).isSymbolicLink()) symlinkSync(readlinkSync(source), join(directory, name))
    else mountPoint(directory, mounts, source)
  }
  for (const name of [...SHARED_ETC, ...javaConfigurations()])
    if (existsSync(`/etc/${name}`)) mountPoint(directory, mounts, `/etc/${name}`)
  for (const [name, text] of Object.entries(ownFiles(options.nameServers)))
    writeFileSync(join(directory, 'etc', name), text, { mode: 0o644 })
  symlinkSync('/proc/self/mounts', join(directory, 'etc/mtab'))
  return { directory, mounts }
}

/** Debian's Java keeps its configuration in /etc and links to it. */
const javaConfigurations = () => [8, 11, 17, 21, 25].map((version) => `java-${version}-openjdk`)

function mountPoint(directory: string, mounts: RootMount[], source: string): void {
  const target = join(directory, source)
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 })
  if (lstatSync(source).isDirectory()) mkdirSync(target, { recursive: true, mode: 0o755 })
  else writeFileSync(target, '', { mode: 0o644 })
  mounts.push({ source, target: source })
}

const ownFiles = (nameServers: readonly string[]): Readonly<Record<string, string>> => ({
  passwd: [
    'root:x:0:0:root:/root:/bin/sh',
    `${GUEST_USER.name}:x:${GUEST_USER.uid}:${GUEST_USER.gid}::/home/${GUEST_USER.name}:/sbin/nologin`,
    'nobody:x:65534:65534:nobody:/:/sbin/nologin',
    '',
  ].join('\n'),
  group: ['root:x:0:', `${GUEST_USER.name}:x:${GUEST_USER.gid}:`, 'nogroup:x:65534:', ''].join('\n'),
  'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  'host.conf': 'multi on\n',
  ...networkFiles(nameServers),
})

/** What a guest's resolver reads, whatever its root is. */
export const networkFiles = (nameServers: readonly string[]): Readonly<Record<string, string>> => ({
  hosts: `127.0.0.1 localhost\n::1 localhost\n${HOST_NAME.replaceAll('-', '.')} ${HOST_NAME}\n`,
  'resolv.conf': nameServers.map((address) => `nameserver ${address}\n`).join(''),
})

/** Name servers of the host; without those on its loopback where the guest has a network of its own. */
export function hostNameServers(options: { readonly loopbackToo?: boolean } = {}): readonly string[] {
  const { loopbackToo = false } = options
  const candidates = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']
  for (const path of candidates) {
    if (!existsSync(path)) continue
    const servers = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1])
      .filter((address) => address !== undefined)
      .filter((address) => loopbackToo || !(address.startsWith('127.') || address === '::1'))
    if (servers.length > 0) return servers
  }
  return []
}
