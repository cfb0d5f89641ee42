/** A function's settings for asynchronous invocation, from the store's documents, remembered until they change. */
import { LATEST, type FunctionId } from '#contracts/arn.ts'
import type { EventInvokeConfig, FunctionHead } from '#contracts/function.ts'
import { eventInvokeConfigKey, functionKey } from '#contracts/keys.ts'
import type { AsyncInvokeSettings, LookUpSettings } from '#data-plane/pollers/port.ts'
import type { Meta } from '#store/port.ts'

/** Functions and qualifiers remembered; the oldest is forgotten first. */
const MAX_REMEMBERED = 10_000

export interface SettingsLookup {
  readonly lookUp: LookUpSettings
  /** Stops following the store. */
  stop(): void
}

/** Follows the store from now on. Rejects when it can't be read. */
export async function createSettingsLookup(meta: Meta): Promise<SettingsLookup> {
  const remembered = new Map<string, AsyncInvokeSettings>()
  /** Which entries a document's change makes stale, by the document's key. */
  const dependents = new Map<string, Set<string>>()
  /** Counts changes, so that what was read while one happened is not remembered. */
  let changes = 0

  const forget = (entry: string) => {
    remembered.delete(entry)
    for (const [document, entries] of dependents) {
      if (entries.delete(entry) && entries.size === 0) dependents.delete(document)
    }
  }
  const depend = (document: string, entry: string) => {
    const entries = dependents.get(document) ?? new Set()
    entries.add(entry)
    dependents.set(document, entries)
  }
  const stop = meta.watch(await meta.rev(), (changed) => {
    changes++
    for (const { key } of changed) {
      for (const entry of dependents.get(key) ?? []) remembered.delete(entry)
      dependents.delete(key)
    }
  })

  const read = async (target: FunctionId, qualifier: string) => {
    const headKey = functionKey(target)
    const configKey = eventInvokeConfigKey(target, qualifier)
    const before = changes
    const [head, config] = await Promise.all([meta.get(headKey), meta.get(configKey)])
    const settings = (config?.doc ?? undefined) as unknown as EventInvokeConfig | undefined
    const found: AsyncInvokeSettings = {
      maximumRetryAttempts: settings?.maximumRetryAttempts,
      maximumEventAgeSeconds: settings?.maximumEventAgeSeconds,
      reservedConcurrency: (head?.doc as unknown as FunctionHead | undefined)?.reservedConcurrency,
    }
    if (changes === before) {
      const oldest = remembered.keys().next().value
      if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) forget(oldest)
      remembered.set(configKey, found)
      depend(headKey, configKey)
      depend(configKey, configKey)
    }
    return found
  }

  return {
    stop,
    lookUp: (target, qualifier = LATEST) =>
      remembered.get(eventInvokeConfigKey(target, qualifier)) ?? read(target, qualifier),
  }
}
