/**
 * The spawner: a small process that does every fork, mount and namespace operation for the serving process, which
 * grows large (a fork's cost grows with memory) and parses what strangers send. It ends when the channel closes,
 * and takes every sandbox with it.
 */
import type { Server, Socket } from 'node:net'
import { join } from 'node:path'

import {
  cleanUp,
  cleanUpAgent,
  cleanUpAll,
  killSandbox,
  rememberPlan,
  rememberTable,
  unmountBy,
} from './clean-up.ts'
import { collectFiles } from './collect-files.ts'
import { executeTool } from './execute.ts'
import { checkRequest, type SpawnerReply, type SpawnerRequest, type SpawnerValue } from './messages.ts'
import { loadNative } from './native.ts'
import { allowForwarding, connectInNetwork, listenInNetwork, makeNetwork } from './network.ts'
import { createRunTable, makeFifos } from './runs.ts'
import { bindMounts, makeScratch, makeShared, mountLayers, mountMemory, show } from './mounts.ts'
import { checkpoint, prepareSnapshots, raisePids } from './snapshots.ts'

const [stateDirectory = ''] = process.argv.slice(2)
const sandboxes = join(stateDirectory, 'sandboxes')
const native = await loadNative()
native?.becomeSubreaper()
if (native) unmountBy(native.unmount)

const send = (reply: SpawnerReply, handle?: Server | Socket) =>
  new Promise<void>((resolve) => {
    if (!process.connected || !process.send) resolve()
    else process.send(reply, handle, {}, () => resolve())
  })

const runs = createRunTable({
  native,
  onExit: (run, status) => void send({ kind: 'exit', run, ...status }),
})

async function perform(request: SpawnerRequest, id: number): Promise<void> {
  const answer = (value: SpawnerValue) => send({ kind: 'reply', id, value })
  switch (request.op) {
    case 'spawn':
      return answer({ pid: await runs.spawn(request) })
    case 'make-fifos':
      await makeFifos(native, request.paths, request.uid)
      return answer({})
    case 'signal':
      runs.signal(request.run, request.signal)
      return answer({})
    case 'execute':
      return answer(await executeTool(request))
    case 'make-scratch':
      await makeScratch(request)
      return answer({})
    case 'bind':
      await bindMounts(native, request.mounts, request.once)
      return answer({})
    case 'make-shared':
      await makeShared(native, request)
      return answer({})
    case 'show':
      await show(native, request)
      return answer({})
    case 'mount-layers':
      await mountLayers(request.layers, request.target)
      return answer({})
    case 'mount-memory':
      await mountMemory(request.target, request.sizeMiB)
      return answer({})
    case 'make-network':
      await makeNetwork(native, request)
      return answer({})
    case 'allow-forwarding':
      rememberTable(stateDirectory)
      allowForwarding()
      return answer({})
    case 'listen': {
      const server = await listenInNetwork(native, request.network, request.address, request.port)
      await send({ kind: 'reply', id, value: {} }, server)
      // Our copy must go, or it would take connections that are meant for the serving process.
      server.close()
      return undefined
    }
    case 'connect': {
      const socket = await connectInNetwork(native, request.network, request.port)
      await send({ kind: 'reply', id, value: {} }, socket)
      return undefined
    }
    case 'collect':
      return answer({ count: await collectFiles(request) })
    case 'prepare-snapshots':
      await prepareSnapshots(request)
      return answer({})
    case 'raise-pids':
      await raisePids(request)
      return answer({})
    case 'checkpoint':
      return answer({ count: await checkpoint(request) })
    case 'remember':
      rememberPlan(request.directory)
      return answer({})
    case 'kill':
      if (request.spare.length === 0) runs.killGroupsBelow(request.directory)
      await killSandbox(request.directory, new Set(request.spare))
      return answer({})
    case 'clean-up':
      runs.killGroupsBelow(request.directory)
      return answer({ count: (await cleanUp(request.directory)) ? 1 : 0 })
    case 'sweep':
      return answer({ count: await cleanUpAll(sandboxes) })
  }
}

process.on('message', (envelope: { readonly id?: unknown; readonly request?: unknown }) => {
  const id = typeof envelope?.id === 'number' ? envelope.id : -1
  const request = checkRequest(envelope?.request)
  if (!request) {
    void send({ kind: 'failure', id, message: 'The spawner does not know this request' })
    return
  }
  perform(request, id).catch((error: unknown) => {
    void send({ kind: 'failure', id, message: error instanceof Error ? error.message : String(error) })
  })
})

process.on('disconnect', () => {
  runs.killAllGroups()
  cleanUpAgent(stateDirectory).then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`lambent: sandboxes are left behind: ${String(error)}\n`)
      process.exit(1)
    },
  )
})
// Only the closing of the channel ends it: a terminal's signals reach the serving process, which ends in order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

void send({ kind: 'ready', native: native !== undefined, pid: process.pid })
