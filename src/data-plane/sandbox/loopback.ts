/** The host's own loopback, where sandboxes have no network of their own. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A port that the kernel picks: every process of the machine reaches it. */
export async function listenOnLoopback() {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return { server, address: `127.0.0.1:${port}` }
}

export function connectToLoopback(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', reject)
    socket.once('connect', () => resolve(socket))
  })
}
