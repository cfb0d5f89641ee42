import { createServer, type AddressInfo } from 'node:net'

/** A port of the host's loopback that the kernel picks: every process of the machine reaches it. */
export async function listenOnLoopback() {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return { server, address: `127.0.0.1:${port}` }
}
