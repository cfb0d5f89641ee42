/** The way from a sandbox's own network to the world: a routed pair of interfaces and address translation. */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Logger } from '#observability/port.ts'

import type { DriverBase } from './driver-base.ts'
import { findProgram } from './find-program.ts'
import { TABLE_FILE } from './spawner/clean-up.ts'

/**
 * - `none`: guests reach our endpoints and nothing else.
 * - `bridge`: also the world beyond this host, but no service of this host, no other guest and no link-local address
 *   (cloud metadata services are there, with the host's credentials).
 * - `host`: the host's own network with all that listens on its loopback.
 */
export type NetworkMode = 'none' | 'bridge' | 'host'
export type WantedNetwork = 'auto' | NetworkMode

export interface Outbound {
  readonly mode: NetworkMode
  /** One sentence for the report. */
  readonly note: string
  /** What connects a sandbox's fresh network; empty without a way out. */
  plan(id: string): OutboundPlan
}

/** Lines for `ip`: first inside the sandbox's network, then on the host. */
export interface OutboundPlan {
  readonly inside: readonly string[]
  readonly outside: readonly string[]
}

/** Guests have addresses of this network; it is translated and never seen outside. */
const NETWORK = '10.213.0.0/16'
const GATEWAY = '10.213.0.1'
const TOOL_DEADLINE_MS = 10_000
const ADDRESSES = 65_534
const NOTHING: OutboundPlan = { inside: [], outside: [] }

const NOTES: { readonly [M in NetworkMode]: string } = {
  bridge: 'functions reach the internet through this host, but none of its own services',
  none: 'functions have no way out of their sandbox except to Lambent itself',
  host: 'functions share the network of this host and reach everything that listens on its loopback',
}

/** Why functions could not be given a way out, or undefined when they can. */
export function outboundObstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'this needs root'
  if (findProgram('ip') === undefined) return '"ip" is not installed (apt-get install iproute2)'
  if (findProgram('nft') === undefined) return '"nft" is not installed (apt-get install nftables)'
  return undefined
}

/** Sets up what all sandboxes of this agent share. With `auto` it falls back to `none` and the note says why. */
export async function createOutbound(options: {
  readonly base: DriverBase
  readonly wanted: WantedNetwork
  readonly stateDirectory: string
  readonly logger: Logger
}): Promise<Outbound> {
  const { base, wanted } = options
  if (wanted === 'none' || wanted === 'host') return plain(wanted, NOTES[wanted])
  try {
    const obstacle = outboundObstacle()
    if (obstacle !== undefined) throw new Error(obstacle)
    const agent = createHash('sha256').update(options.stateDirectory).digest('hex').slice(0, 4)
    writeFileSync(join(options.stateDirectory, TABLE_FILE), table(agent))
    await prepareHost(base, agent)
    return bridge(agent)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    if (wanted === 'bridge') throw new Error(`Functions can't be given a way out: ${why}`, { cause: error })
    options.logger.warn('Functions have no way out to the internet', { why })
    return plain('none', `${NOTES.none}: ${why}`)
  }
}

const plain = (mode: NetworkMode, note: string): Outbound => ({
  mode,
  note,
  plan: () => NOTHING,
})

function bridge(agent: string): Outbound {
  return {
    mode: 'bridge',
    note: NOTES.bridge,
    plan(id) {
      // 15 characters, the longest that an interface's name may be.
      const link = `${prefix(agent)}${id.slice(-8)}`
      const address = freeAddress(id)
      return {
        inside: [
          // Made inside with the far end put out here, so that it never carries the host's name for a moment.
          `link add eth0 type veth peer name ${link} netns /proc/${process.pid}/ns/net`,
          `address add ${address}/32 dev eth0`,
          'link set eth0 up',
          `route add ${GATEWAY} dev eth0`,
          `route add default via ${GATEWAY} dev eth0`,
        ],
        outside: [
          `address add ${GATEWAY}/32 dev ${link}`,
          `link set ${link} up`,
          `route add ${address}/32 dev ${link}`,
        ],
      }
    },
  }
}

const prefix = (agent: string) => `lam${agent}`
const table = (agent: string) => `lambent_${agent}`

/**
 * Every agent has a table of its own, so that one that stops takes nothing from another. The spawner removes it at its
 * end.
 */
function rules(agent: string): string {
  const ours = `"${prefix(agent)}*"`
  return `
    add table inet ${table(agent)}
    delete table inet ${table(agent)}
    table inet ${table(agent)} {
      chain input {
        type filter hook input priority filter - 5; policy accept;
        iifname ${ours} drop
      }
      chain forward {
        type filter hook forward priority filter - 5; policy accept;
        iifname ${ours} oifname "lam*" drop
        iifname ${ours} ip daddr { 169.254.0.0/16, 127.0.0.0/8, 224.0.0.0/4 } drop
        iifname ${ours} meta nfproto ipv6 drop
        iifname ${ours} ip saddr != ${NETWORK} drop
        iifname ${ours} tcp flags syn tcp option maxseg size set rt mtu
      }
      chain postrouting {
        type nat hook postrouting priority srcnat; policy accept;
        ip saddr ${NETWORK} oifname != "lam*" masquerade
      }
    }
  `
}

async function prepareHost(base: DriverBase, agent: string): Promise<void> {
  await tool(base, 'nft', ['-f', '-'], rules(agent))
  await base.spawner.request({ op: 'allow-forwarding' })
}

async function tool(
  base: DriverBase,
  name: 'nft' | 'ip',
  args: readonly string[],
  input?: string,
): Promise<void> {
  const { code, stderr } = await base.spawner.request({
    op: 'execute',
    tool: name,
    args,
    input,
    deadlineMs: TOOL_DEADLINE_MS,
  })
  if (code !== 0) throw new Error(`${name}: ${stderr?.trim()}`)
}

/** An address that no sandbox of this host has: each has a route of its own, whatever agent made it. */
function freeAddress(id: string): string {
  const taken = new Set(
    readFileSync('/proc/net/route', 'utf8')
      .split('\n')
      .map((line) => line.split('\t')[1] ?? ''),
  )
  const start = Number.parseInt(id.slice(-8), 16)
  for (let step = 0; step < ADDRESSES; step++) {
    // Not the network's own address and not the gateway, 0.0 and 0.1.
    const index = 2 + ((start + step) % (ADDRESSES - 2))
    const [high, low] = [index >> 8, index & 0xff]
    // The kernel writes addresses of this table as little-endian hexadecimal.
    const hex = (byte: number) => byte.toString(16).toUpperCase().padStart(2, '0')
    if (!taken.has(`${hex(low)}${hex(high)}${hex(213)}${hex(10)}`)) return `10.213.${high}.${low}`
  }
  throw new Error('Every address for sandboxes is taken')
}
