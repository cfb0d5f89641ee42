/** The network of one sandbox: a namespace with listeners of ours inside, whatever the way out is. */
import { join } from 'node:path'
import { connect, type Server, type Socket } from 'node:net'

import type { FunctionNetwork } from '#contracts/network.ts'

import type { DriverBase } from './driver-base.ts'
import { connectToLoopback, listenOnLoopback } from './loopback.ts'
import type { NetworkMode, Outbound, OutboundPlan, WantedNetwork } from './outbound.ts'

/** Where the guest reaches us, whatever its network: an address of its own loopback (AWS has the Runtime API there). */
export const LISTEN_ADDRESS = '169.254.100.1'
const RUNTIME_API_PORT = 9001

/** The first lines for `ip` in every new network. */
const LOOPBACK_COMMANDS = ['link set lo up', `address add ${LISTEN_ADDRESS}/32 dev lo`] as const

export interface EndpointOptions {
  /** Default `auto`: `bridge` where that can be had, else `none`. */
  readonly network?: WantedNetwork
  /** Ports of ours that guests reach by `endpointFor`. Asked at each create. */
  readonly endpointPorts?: () => readonly number[]
  /**
   * Takes a guest's connection to one of these ports, so that no bytes are copied. By default it is joined to the same
   * port of the host's loopback.
   */
  readonly onEndpointConnection?: (port: number, socket: Socket) => void
}

export interface SandboxNetwork {
  /** A file that is the namespace; undefined: the host's. */
  readonly file: string | undefined
  /** The Runtime API's listener. The caller closes it. */
  listen(): Promise<{ readonly server: Server; readonly address: string }>
  /** One more listener, at the guest's 127.0.0.1. The caller closes it. */
  readonly listenOnLoopback?: ((port: number) => Promise<Server>) | undefined
  /** Connects to a port of the guest's loopback. */
  connect(port: number): Promise<Socket>
  /** Closes the listeners for our own endpoints. */
  close(): void
}

const CLOSED: OutboundPlan = { inside: [], outside: [] }

/** The network of a sandbox that wants this much of it. Rejects where the host's own network can't be kept from it. */
export async function makeNetwork(
  base: DriverBase,
  directory: string,
  options: EndpointOptions & {
    readonly spec: { readonly id: string }
    readonly outbound: Outbound
    readonly wanted: FunctionNetwork | undefined
  },
): Promise<SandboxNetwork> {
  const { outbound, wanted = 'internet' } = options
  if (outbound.mode === 'host') {
    assertOpen(wanted)
    return hostNetwork
  }
  return makeSandboxNetwork(base, directory, {
    ...options,
    outbound: wanted === 'internet' ? outbound.plan(options.spec.id) : CLOSED,
    ...(wanted === 'none' && { endpointPorts: () => [] }),
  })
}

/** For drivers whose guests share the network of the host. */
export function assertOpen(wanted: FunctionNetwork | undefined): void {
  if (wanted === undefined || wanted === 'internet') return
  throw new Error(`Functions share the network of this host, which can't be closed to "${wanted}"`)
}

export const networkFile = (directory: string) => join(directory, 'network')

async function makeSandboxNetwork(
  base: DriverBase,
  directory: string,
  options: EndpointOptions & { readonly outbound: OutboundPlan },
): Promise<SandboxNetwork> {
  const file = networkFile(directory)
  const { onEndpointConnection = joinToLoopback } = options
  await base.spawner.request({
    op: 'make-network',
    file,
    inside: [...LOOPBACK_COMMANDS, ...options.outbound.inside],
    outside: options.outbound.outside,
  })
  const listenInside = async (port: number, address: string = LISTEN_ADDRESS) => {
    const { server } = await base.spawner.request({
      op: 'listen',
      network: file,
      address,
      port,
    })
    if (!server) throw new Error('The spawner sent no listener')
    return server
  }
  const ports = options.endpointPorts?.() ?? []
  const endpoints = await Promise.all(
    ports.map(async (port) => {
      const server = await listenInside(port)
      server.on('connection', (socket) => onEndpointConnection(port, socket))
      return server
    }),
  )
  return {
    file,
    async listen() {
      const server = await listenInside(RUNTIME_API_PORT)
      return { server, address: `${LISTEN_ADDRESS}:${RUNTIME_API_PORT}` }
    },
    listenOnLoopback: (port) => listenInside(port, '127.0.0.1'),
    async connect(port) {
      const { socket } = await base.spawner.request({ op: 'connect', network: file, port })
      if (!socket) throw new Error('The spawner sent no connection')
      return socket
    },
    close() {
      for (const endpoint of endpoints) endpoint.close()
    },
  }
}

/** The host's own network: listeners are on its loopback, where our endpoints are too. */
const hostNetwork: SandboxNetwork = {
  file: undefined,
  listen: listenOnLoopback,
  connect: connectToLoopback,
  close() {},
}

export const endpointUrl = (mode: NetworkMode, port: number) =>
  `http://${mode === 'host' ? '127.0.0.1' : LISTEN_ADDRESS}:${port}`

function joinToLoopback(port: number, guest: Socket): void {
  const ours = connect(port, '127.0.0.1')
  guest.on('error', () => ours.destroy())
  ours.on('error', () => guest.destroy())
  guest.pipe(ours).pipe(guest)
}
