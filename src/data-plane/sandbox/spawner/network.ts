/** Network namespaces: made, configured and listened in, by system calls where this Node can, else by commands. */
import { fork, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'

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
  if (native) {
    native.inFreshNetwork(() => {
      command('mount', ['--bind', '/proc/self/ns/net', file])
      command('ip', ['-batch', '-'], lines(inside))
    })
  } else command('unshare', [`--net=${file}`, 'ip', '-batch', '-'], lines(inside))
  if (outside.length > 0) command('ip', ['-batch', '-'], lines(outside))
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

/** The same with a Node process started in the namespace, which sends its server here and ends. */
function listenByHelper(network: string, address: string, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const source = `const s=require('node:net').createServer();s.listen(${port},${JSON.stringify(address)},${BACKLOG},()=>process.send('ok',s,()=>process.exit(0)))`
    const helper = fork('/dev/null', {
      execPath: 'nsenter',
      execArgv: [`--net=${network}`, process.execPath, '-e', source],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      timeout: COMMAND_DEADLINE_MS,
    })
    helper.once('message', (_, server) => {
      if (server) resolve(server as Server)
      else reject(new Error('The helper sent no listener'))
    })
    helper.once('error', reject)
    helper.once('exit', () => reject(new Error(`Cannot listen on ${address}:${port} in the sandbox`)))
  })
}

function command(program: string, args: readonly string[], input = ''): void {
  const { status, stderr, error } = spawnSync(program, args, {
    input,
    encoding: 'utf8',
    timeout: COMMAND_DEADLINE_MS,
  })
  if (error || status !== 0)
    throw new Error(`"${program} ${args.join(' ')}" failed: ${error?.message ?? stderr.trim()}`)
}
