/** Network namespaces: made, configured and listened in, by system calls where this Node can, else by commands. */
import { execFile, fork } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, Socket, type Server } from 'node:net'

import { nodeCollects } from './children.ts'
import type { SpawnerRequest } from './messages.ts'
import type { Native } from './native.ts'

const COMMAND_DEADLINE_MS = 10_000
const BACKLOG = 128

/** Makes a network namespace that lives as long as its bind mount on `file`, and configures both its sides. */
export async function makeNetwork(
  native: Native | undefined,
  request: Extract<SpawnerRequest, { readonly op: 'make-network' }>,
): Promise<void> {
  const { file, inside, outside } = request
  closeSync(openSync(file, 'w'))
  // Only the making needs this thread: what configures runs beside it, because others wait for the spawner.
  const made = native?.inFreshNetwork((here) => native.bindMount(here, file)) ?? false
  const enter = made ? ['nsenter', `--net=${file}`] : ['unshare', `--net=${file}`]
  await command([...enter, 'ip', '-batch', '-'], lines(inside))
  if (outside.length > 0) await command(['ip', '-batch', '-'], lines(outside))
}

const lines = (commands: readonly string[]) => `${commands.join('\n')}\n`

/** A setting of the whole host, so it is only touched when it is off. */
export function allowForwarding(): void {
  const setting = '/proc/sys/net/ipv4/ip_forward'
  if (readFileSync(setting, 'utf8').trim() === '0') writeFileSync(setting, '1')
}

/** A server that accepts connections made inside the namespace. The caller closes it. */
export async function listenInNetwork(
  native: Native | undefined,
  network: string,
  address: string,
  port: number,
): Promise<Server> {
  if (!native) return listenByHelper(network, address, port)
  const octets = address.split('.').map(Number)
  const [a = -1, b = -1, c = -1, d = -1] = octets
  if (octets.length !== 4 || octets.some((octet) => !(octet >= 0 && octet <= 255)))
    throw new Error(`Not an IPv4 address: "${address}"`)
  const fd = native.inNetwork(network, () => native.listenTcp([a, b, c, d], port, BACKLOG))
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ fd }, resolve)
  })
  return server
}

/** A connection to a port of the namespace's loopback. The caller hands it on unread. */
export async function connectInNetwork(
  native: Native | undefined,
  network: string,
  port: number,
): Promise<Socket> {
  if (!native) {
    const source = `const c=require('node:net').connect({port:${port},host:'127.0.0.1'});c.once('error',()=>process.exit(1));c.once('connect',()=>{c.pause();process.send('ok',c,()=>process.exit(0))})`
    return fromHelper<Socket>(network, source, `Nothing listens on port ${port} in the sandbox`)
  }
  const fd = native.inNetwork(network, () => native.connectTcp([127, 0, 0, 1], port))
  return new Socket({ fd, readable: true, writable: true, ...UNREAD })
}

/** Node knows it, its types do not: without it the socket reads ahead, and what it read would not be handed on. */
const UNREAD = { manualStart: true }

/** The same with a Node process started in the namespace, which sends its server here and ends. */
function listenByHelper(network: string, address: string, port: number): Promise<Server> {
  const source = `const s=require('node:net').createServer();s.listen(${port},${JSON.stringify(address)},${BACKLOG},()=>process.send('ok',s,()=>process.exit(0)))`
  return fromHelper<Server>(network, source, `Cannot listen on ${address}:${port} in the sandbox`)
}

function fromHelper<Handle>(network: string, source: string, failure: string): Promise<Handle> {
  return new Promise((resolve, reject) => {
    const helper = fork('/dev/null', {
      execPath: 'nsenter',
      execArgv: [`--net=${network}`, process.execPath, '-e', source],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      timeout: COMMAND_DEADLINE_MS,
    })
    helper.once('message', (_, handle) => {
      if (handle) resolve(handle as Handle)
      else reject(new Error('The helper sent no handle'))
    })
    helper.once('error', reject)
    helper.once('exit', () => reject(new Error(failure)))
  })
}

function command([program = '', ...args]: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: COMMAND_DEADLINE_MS }, (error, _, stderr) => {
      if (!error) return resolve()
      const said = stderr.trim()
      const why = said === '' ? error.message : said
      reject(new Error(`"${program} ${args.join(' ')}" failed: ${why}`, { cause: error }))
    })
    nodeCollects(child)
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}
