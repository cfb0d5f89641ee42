/** A function's settings for asynchronous invocation, from the store's documents. */
import { LATEST } from '#contracts/arn.ts'
import type { EventInvokeConfig, FunctionHead } from '#contracts/function.ts'
import { eventInvokeConfigKey, functionKey } from '#contracts/keys.ts'
import type { AsyncInvokeSettings, LookUpSettings } from '#data-plane/pollers/port.ts'
import type { DocumentCache, Known } from '#documents/port.ts'

function settingsOf(head: Known, config: Known): AsyncInvokeSettings {
  const settings = config as unknown as EventInvokeConfig | null
  return {
    maximumRetryAttempts: settings?.maximumRetryAttempts,
    maximumEventAgeSeconds: settings?.maximumEventAgeSeconds,
    reservedConcurrency: (head as unknown as FunctionHead | null)?.reservedConcurrency,
  }
}

export function createSettingsLookup(documents: Pick<DocumentCache, 'find' | 'read'>): LookUpSettings {
  return (target, qualifier = LATEST) => {
    const headKey = functionKey(target)
    const configKey = eventInvokeConfigKey(target, qualifier)
    const head = documents.find(headKey)
    const config = documents.find(configKey)
    if (head !== undefined && config !== undefined) return settingsOf(head, config)
    return Promise.all([documents.read(headKey), documents.read(configKey)]).then(([first, second]) =>
      settingsOf(first, second),
    )
  }
}
