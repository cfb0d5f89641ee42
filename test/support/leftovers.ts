/** What a program under test may leave on the host: looks for everything that carries its data directory or sandboxes. */
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

const LOOK_EVERY_MS = 50

export interface SandboxWatch {
  /** Ids of all sandboxes seen so far. */
  readonly ids: ReadonlySet<string>
  stop(): void
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
const list = (path: string): readonly string[] => {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Notes every sandbox that the program of this data directory makes, because its directory is gone with it. */
export function watchSandboxes(dataDirectory: string): SandboxWatch {
  const ids = new Set<string>()
  const look = () => {
    for (const id of list(join(dataDirectory, 'sandboxes', 'sandboxes'))) ids.add(id)
  }
  const timer = setInterval(look, LOOK_EVERY_MS)
  timer.unref()
  look()
  return { ids, stop: () => clearInterval(timer) }
}

/** Everything on the host that belongs to this program: one line each, empty when nothing does. */
export function findTraces(dataDirectory: string, ids: ReadonlySet<string>): readonly string[] {
  const directory = existsSync(dataDirectory) ? realpathSync(dataDirectory) : dataDirectory
  const marks = [directory, ...ids]
  const marked = (text: string) => marks.some((mark) => text.includes(mark))
  const found: string[] = []
  for (const pid of list('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue
    const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
    // A zombie has no memory, so neither a command line nor an environment; its cgroup still says whose it was.
    const places = ['environ', 'cgroup', 'mountinfo'].map((name) => read(`/proc/${pid}/${name}`))
    if ([command, ...places].some((text) => marked(text)))
      found.push(`process ${pid}: ${command || read(`/proc/${pid}/comm`)}`)
  }
  for (const line of read('/proc/self/mountinfo').split('\n')) if (marked(line)) found.push(`mount: ${line}`)
  for (const device of list('/sys/block')) {
    const file = read(`/sys/block/${device}/loop/backing_file`)
    if (marked(file)) found.push(`loop device ${device}: ${file.trim()}`)
  }
  for (const controller of ['.', ...list('/sys/fs/cgroup')]) {
    const parent = join('/sys/fs/cgroup', controller, 'lambent')
    for (const name of list(parent)) if (ids.has(name)) found.push(`cgroup: ${join(parent, name)}`)
  }
  for (const name of list('/sys/class/net')) {
    for (const id of ids) {
      if (name.startsWith('lam') && name.endsWith(id.slice(-8))) found.push(`network interface: ${name}`)
    }
  }
  const agent = createHash('sha256').update(join(directory, 'sandboxes')).digest('hex').slice(0, 4)
  if (packetFilterTables().includes(`lambent_${agent}`)) found.push(`packet filter table: lambent_${agent}`)
  return found
}

function packetFilterTables(): string {
  try {
    return execFileSync('nft', ['list', 'tables'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return ''
  }
}
