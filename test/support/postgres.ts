/** A real PostgreSQL server of its own for tests, from Debian's package, on a free port of the loopback address. */
import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

const ROOT = '/usr/lib/postgresql'
const START_DEADLINE_MS = 30_000

/** Directory of the newest server's programs; undefined where there is none. */
function binaries(): string | undefined {
  if (!existsSync(ROOT)) return undefined
  const versions = readdirSync(ROOT)
    .map(Number)
    .filter((version) => version >= 14)
  const newest = Math.max(...versions)
  const directory = join(ROOT, String(newest), 'bin')
  return existsSync(join(directory, 'initdb')) ? directory : undefined
}

/** PostgreSQL refuses to run as root. */
const account = (): { uid: number; gid: number } | undefined => {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout.trim())
  const [uid, gid] = [id('-u'), id('-g')]
  return uid > 0 && gid > 0 ? { uid, gid } : { uid: 65_534, gid: 65_534 }
}

/** Why no server can run here; undefined where one can. */
export const noPostgres =
  binaries() === undefined && `no PostgreSQL server below ${ROOT} (package postgresql)`

export interface PostgresServer {
  readonly port: number
  /** Of its superuser's database. */
  readonly url: string
  /** For `openPostgresStore`: a schema that nobody else uses. */
  freshSchema(): string
  /** Ends it as a crash would (no checkpoint, no farewell), and waits until it is gone. */
  crash(): Promise<void>
  /** Starts it again on the same data and port. */
  start(): Promise<void>
  /** Makes a standby of it that must confirm its commits, running when it resolves. */
  addStandby(): Promise<PostgresServer>
  /** Makes a standby the primary. */
  promote(): Promise<void>
  remove(): Promise<void>
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

function run(command: string, args: readonly string[]) {
  const done = spawnSync(command, args, {
    ...account(),
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    cwd: '/',
  })
  if (done.status !== 0) throw new Error(`${command} ended with ${done.status}: ${done.stderr}${done.stdout}`)
}

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  // A socket's lock file outlives a killed server.
  'unix_socket_directories=',
  'max_connections=100',
  'shared_buffers=32MB',
  'wal_level=replica',
  'max_wal_size=256MB',
  'log_min_messages=fatal',
]

function createPostgresServer(bin: string, directory: string, port: number): PostgresServer {
  const data = join(directory, 'data')
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  let child: ReturnType<typeof spawn> | undefined
  let standby: PostgresServer | undefined
  const sql = (text: string) => {
    const args = ['-X', '-q', '-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-c', text]
    return spawnSync(join(bin, 'psql'), args, { encoding: 'utf8' })
  }
  return {
    port,
    url,
    freshSchema: () => `s${randomBytes(6).toString('hex')}`,
    async start() {
      const args = ['-D', data, '-p', String(port), ...SETTINGS.flatMap((setting) => ['-c', setting])]
      child = spawn(join(bin, 'postgres'), args, { ...account(), stdio: 'ignore', cwd: '/' })
      const deadline = Date.now() + START_DEADLINE_MS
      while (sql('select 1').status !== 0) {
        if (Date.now() > deadline || child.exitCode !== null) throw new Error('PostgreSQL does not start')
        await wait(20)
      }
    },
    async crash() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      // SIGQUIT is the immediate stop: its processes end at once, and recovery runs at the next start.
      child.kill('SIGQUIT')
      await gone
    },
    async addStandby() {
      const other = await mkdtemp(join(tmpdir(), 'lambent-postgres-'))
      const owner = account()
      if (owner) await chown(other, owner.uid, owner.gid)
      const from = ['-h', '127.0.0.1', '-p', String(port), '-U', 'postgres', '-D', join(other, 'data')]
      run(join(bin, 'pg_basebackup'), [...from, '-R', '-X', 'stream', '-c', 'fast'])
      standby = createPostgresServer(bin, other, await freePort())
      await standby.start()
      sql(`alter system set synchronous_standby_names = '*'`)
      sql('select pg_reload_conf()')
      const isSync = `do $$ begin assert (select sync_state = 'sync' from pg_stat_replication); end $$`
      for (let turn = 0; sql(isSync).status !== 0; turn++) {
        if (turn > 500) throw new Error('The standby does not follow')
        await wait(20)
      }
      return standby
    },
    async promote() {
      // What it has taken over of its primary's settings would make it wait for a standby that it has not.
      sql('select pg_promote()')
      sql(`alter system set synchronous_standby_names = ''`)
      sql('select pg_reload_conf()')
    },
    async remove() {
      await this.crash()
      await standby?.remove()
      await rm(directory, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Resolves when it runs, empty. Throws where none can. The caller removes it. */
export async function startPostgres(): Promise<PostgresServer> {
  const bin = binaries()
  if (bin === undefined) throw new Error(String(noPostgres))
  const directory = await mkdtemp(join(tmpdir(), 'lambent-postgres-'))
  const owner = account()
  if (owner) await chown(directory, owner.uid, owner.gid)
  const data = join(directory, 'data')
  run(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'])
  await writeFile(join(data, 'postgresql.auto.conf'), '')
  const server = createPostgresServer(bin, directory, await freePort())
  await server.start()
  return server
}
