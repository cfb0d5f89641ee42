/** The extensions of one environment: who they are, what they wait for, and when all of them are ready. */
import {
  EXTENSION_MAY_CALL,
  type ExtensionState,
} from '#data-plane/runtime-api/extensions/extension-state.ts'
import type {
  ExtensionEvent,
  ExtensionEventType,
  ExtensionFault,
  ExtensionRefusal,
  ExtensionRegistry,
} from '#data-plane/runtime-api/port.ts'
import { mayFollow } from '#kernel/lifecycle.ts'
import type { Random } from '#kernel/random.ts'

/** Source: AWS's own emulator; the developer guide says ten as well. */
export const MAX_EXTENSIONS = 10

const NOT_ALLOWED = 'State transition is not allowed'

interface Extension {
  readonly name: string
  readonly id: string
  readonly external: boolean
  state: ExtensionState
  events: readonly ExtensionEventType[]
  errorType: string | undefined
  poll: { readonly deliver: (event: ExtensionEvent) => boolean } | undefined
  /** An event whose client had gone when it was to be delivered. */
  pending: ExtensionEvent | undefined
}

const refusal = (errorType: string, errorMessage: string): ExtensionRefusal => ({ errorType, errorMessage })

const badTransition = (extension: Extension, to: ExtensionState, shown: string) =>
  refusal(
    'Extension.InvalidExtensionState',
    `State transition from ${extension.state} to ${to} failed for extension ${shown}. Error: ${NOT_ALLOWED}`,
  )

export function createExtensionRegistry(options: { readonly random: Random }): ExtensionRegistry {
  const { random } = options
  const byName = new Map<string, Extension>()
  const byId = new Map<string, Extension>()
  const waiters: { readonly met: () => boolean; readonly resolve: () => void }[] = []
  const faultListeners = new Set<(fault: ExtensionFault) => void>()
  let fault: ExtensionFault | undefined
  let open = true

  const add = (name: string, external: boolean): Extension => {
    const extension: Extension = {
      name,
      id: random.uuid(),
      external,
      state: 'Started',
      events: [],
      errorType: undefined,
      poll: undefined,
      pending: undefined,
    }
    byName.set(name, extension)
    byId.set(extension.id, extension)
    return extension
  }
  const all = () => [...byName.values()]
  const giveUp = (first: ExtensionFault) => {
    if (fault) return
    fault = first
    for (const listener of faultListeners) listener(first)
    faultListeners.clear()
  }
  const look = () => {
    for (const waiter of waiters.splice(0)) {
      if (waiter.met()) waiter.resolve()
      else waiters.push(waiter)
    }
  }
  const when = (met: () => boolean) =>
    new Promise<void>((resolve) => {
      if (met()) resolve()
      else waiters.push({ met, resolve })
    })
  const deliver = (extension: Extension, event: ExtensionEvent) => {
    const poll = extension.poll
    extension.poll = undefined
    // The state is the extension's while it holds an event, whether or not it still listens.
    extension.state = 'Running'
    extension.pending = poll?.deliver(event) ? undefined : event
  }

  const eventProblem = (event: unknown, external: boolean): ExtensionRefusal | undefined => {
    const known = event === 'INVOKE' || event === 'SHUTDOWN'
    if (known && (external || event === 'INVOKE')) return undefined
    return refusal(
      'Extension.InvalidEventType',
      `${String(event)}: ${known ? 'ShutdownEventNotSupportedForInternalExtension' : 'ErrorInvalidEventType'}`,
    )
  }

  return {
    expect(name) {
      if (byName.size >= MAX_EXTENSIONS) return false
      add(name, true)
      return true
    },
    register(name, events) {
      const expected = byName.get(name)
      const external = expected?.external === true
      for (const event of events) {
        const problem = eventProblem(event, external)
        if (problem) return problem
      }
      if (!external) {
        if (!open) return refusal('Extension.RegistrationClosed', 'Extension registration closed already')
        if (byName.size >= MAX_EXTENSIONS)
          return refusal('Extension.TooManyExtensions', `Extension limit (${MAX_EXTENSIONS}) reached`)
        if (expected)
          return refusal('Extension.InvalidExtensionState', 'Extension with this name already registered')
      }
      const extension = expected ?? add(name, false)
      if (!mayFollow(EXTENSION_MAY_CALL, extension.state, 'Registered'))
        return badTransition(extension, 'Registered', name)
      extension.events = [...new Set(events as readonly ExtensionEventType[])]
      extension.state = 'Registered'
      look()
      return { id: extension.id }
    },
    next(id, deliverTo) {
      const extension = byId.get(id)
      if (!extension) return refusal('Extension.UnknownExtensionIdentifier', `Unknown extension ${id}`)
      // Whoever lost the connection it waited on may ask again.
      const again = extension.state === 'Ready' && extension.poll === undefined
      if (!again && !mayFollow(EXTENSION_MAY_CALL, extension.state, 'Ready'))
        return badTransition(extension, 'Ready', id)
      const poll = { deliver: deliverTo }
      extension.poll = poll
      extension.state = 'Ready'
      const { pending } = extension
      if (pending) deliver(extension, pending)
      look()
      return {
        cancel() {
          if (extension.poll === poll) extension.poll = undefined
        },
      }
    },
    report(id, phase, errorType) {
      const extension = byId.get(id)
      if (!extension)
        return refusal('Extension.UnknownExtensionIdentifier', 'Unknown Lambda-Extension-Identifier')
      const to = phase === 'init' ? 'InitError' : 'ExitError'
      if (!mayFollow(EXTENSION_MAY_CALL, extension.state, to))
        // AWS's emulator names another state here than the one it enters.
        return badTransition(extension, to, id)
      extension.state = to
      extension.errorType ??= errorType
      giveUp({ name: extension.name, phase, errorType: extension.errorType })
      look()
      return undefined
    },
    exited(name) {
      const extension = byName.get(name)
      if (!extension) return
      const phase = extension.state === 'Started' || extension.state === 'Registered' ? 'init' : 'exit'
      giveUp({ name, phase, errorType: extension.errorType })
    },
    nameOf: (id) => byId.get(id)?.name,
    close() {
      open = false
    },
    whenRegistered: () => when(() => all().every(({ state }) => state !== 'Started')),
    whenReady: () => when(() => all().every(({ state }) => state === 'Ready')),
    onFault(listener) {
      if (fault) listener(fault)
      else faultListeners.add(listener)
      return () => void faultListeners.delete(listener)
    },
    send(event) {
      const takers = all().filter(
        ({ state, events }) =>
          events.includes(event.eventType) && (state === 'Ready' || event.eventType === 'SHUTDOWN'),
      )
      for (const extension of takers) {
        if (extension.state === 'Ready') deliver(extension, event)
        // It is busy; it gets the event as soon as it asks.
        else extension.pending = event
      }
      return takers.map(({ name }) => name)
    },
    list: () =>
      all().map(({ name, external, state, events, errorType }) => ({
        name,
        external,
        state,
        events,
        errorType,
      })),
    get empty() {
      return byName.size === 0
    },
  }
}
