/** A guest for tests: each run of its process is a list of actions, played in virtual or real time. */
import { createServer } from 'node:net'
import { PassThrough } from 'node:stream'

import type { GuestExit } from '#contracts/invocation.ts'
import {
  ChannelClosed,
  type GuestSession,
  type InitOutcome,
  type SessionOutcome,
} from '#data-plane/runtime-api/port.ts'
import { runtimeSessions } from '#data-plane/runtime-api/sessions.ts'
import type { Guest, Sandbox } from '#data-plane/sandbox/port.ts'
import { sleep, type Clock } from '#kernel/clock.ts'

/** The real APIs of extensions; no fake guest speaks them. */
export const extensionSessions = {
  telemetry: runtimeSessions.telemetry,
  extensionApi: runtimeSessions.extensionApi,
}

export type GuestAction =
  | { readonly does: 'print'; readonly text: string }
  | { readonly does: 'take'; readonly ms: number }
  /** Ends the init well. */
  | { readonly does: 'ready' }
  | { readonly does: 'init-error'; readonly errorType: string; readonly document: string }
  /** Waits until it is given an invocation. */
  | { readonly does: 'next' }
  | { readonly does: 'answer'; readonly text: string }
  | { readonly does: 'error'; readonly errorType: string; readonly document: string }
  | { readonly does: 'too-large' }
  | { readonly does: 'exit'; readonly code: number; readonly outOfMemory?: boolean }
  /** Hangs up and lives on. */
  | { readonly does: 'hang-up' }

export interface FakeGuest {
  readonly sandbox: Sandbox
  readonly openSession: (guest: Guest) => GuestSession
  /** What the sandbox was told, in order: start, freeze, thaw, limit-cpu, kill, destroy. */
  readonly calls: string[]
}

/** `runs[n]` is what the n-th process does; afterwards it waits for ever. More starts than runs are an error. */
export function createFakeGuest(clock: Clock, runs: readonly (readonly GuestAction[])[]): FakeGuest {
  const calls: string[] = []
  let started = 0
  let current: { readonly guest: Guest; readonly session: GuestSession } | undefined

  const play = (actions: readonly GuestAction[]) => {
    const stdout = new PassThrough()
    const exited = Promise.withResolvers<GuestExit>()
    const init = Promise.withResolvers<InitOutcome>()
    let invocation = Promise.withResolvers<SessionOutcome>()
    let given = Promise.withResolvers<void>()
    let over = false
    // Nobody may be waiting when the process ends.
    init.promise.catch(() => {})
    invocation.promise.catch(() => {})
    const end = (exit: GuestExit) => {
      over = true
      hangUp()
      exited.resolve(exit)
    }
    const hangUp = () => {
      init.reject(new ChannelClosed('gone'))
      invocation.reject(new ChannelClosed('gone'))
    }
    const guest: Guest = {
      control: new PassThrough(),
      stdout,
      stderr: new PassThrough(),
      exited: exited.promise,
      signal(signal) {
        calls.push('kill')
        if (!over) end({ code: null, signal, outOfMemory: false })
      },
    }
    const session: GuestSession = {
      init: () => init.promise,
      invoke() {
        invocation = Promise.withResolvers<SessionOutcome>()
        invocation.promise.catch(() => {})
        given.resolve()
        return invocation.promise
      },
      close: hangUp,
    }
    const run = async () => {
      for (const action of actions) {
        if (over) return
        switch (action.does) {
          case 'print':
            stdout.write(action.text)
            break
          case 'take':
            await sleep(clock, action.ms)
            break
          case 'ready':
            init.resolve({ kind: 'ready' })
            break
          case 'init-error':
            init.resolve({
              kind: 'error',
              errorType: action.errorType,
              payload: Buffer.from(action.document),
            })
            break
          case 'next':
            await given.promise
            given = Promise.withResolvers<void>()
            break
          case 'answer':
            invocation.resolve({ kind: 'response', payload: Buffer.from(action.text) })
            break
          case 'error':
            invocation.resolve({
              kind: 'error',
              errorType: action.errorType,
              payload: Buffer.from(action.document),
            })
            break
          case 'too-large':
            invocation.resolve({ kind: 'too-large', sizeBytes: 7_000_000 })
            break
          case 'exit':
            end({ code: action.code, signal: null, outOfMemory: action.outOfMemory ?? false })
            return
          case 'hang-up':
            hangUp()
            break
        }
      }
    }
    void run()
    return { guest, session }
  }

  const sandbox: Sandbox = {
    id: 'fake',
    paths: {
      task: '/var/task',
      opt: '/opt',
      runtime: '/var/runtime',
      lang: '/var/lang',
      tmp: '/tmp',
      compiled: '/var/cache',
    },
    // Nobody connects.
    listen: () => Promise.resolve({ server: createServer(), address: '127.0.0.1:9001' }),
    connect: () => Promise.reject(new Error('Nothing listens in a fake guest')),
    clear: () => Promise.resolve(),
    startBeside: () => Promise.reject(new Error('Nothing runs beside a fake guest')),
    start() {
      calls.push('start')
      const actions = runs[started++]
      if (!actions) return Promise.reject(new Error('The list of runs has ended'))
      current = play(actions)
      return Promise.resolve(current.guest)
    },
    limitCpu: () => void calls.push('limit-cpu'),
    freeze: () => void calls.push('freeze'),
    thaw: () => void calls.push('thaw'),
    peakMemoryMiB: () => 42,
    usage: () => ({ memoryMiB: 41, cpuMs: 7 }),
    destroy() {
      calls.push('destroy')
      return Promise.resolve()
    },
  }
  return {
    sandbox,
    calls,
    openSession() {
      if (!current) throw new Error('No run yet')
      return current.session
    },
  }
}
