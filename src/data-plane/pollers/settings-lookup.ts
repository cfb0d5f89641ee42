/** A function's settings for asynchronous invocation, from the store's documents. */
import { LATEST } from '#contracts/arn.ts'
import { servingVersion, type EventInvokeConfig, type FunctionHead } from '#contracts/function.ts'
import { eventInvokeConfigKey, functionKey } from '#contracts/keys.ts'
import type { AsyncInvokeSettings, LookUpSettings } from '#data-plane/pollers/port.ts'
import type { DocumentCache, Known } from '#documents/port.ts'

function settingsOf(headDocument: Known, configDocument: Known): AsyncInvokeSettings {
  const config = configDocument as unknown as EventInvokeConfig | null
  const head = headDocument as unknown as FunctionHead | null
  // Versions have the dead-letter queue of `$LATEST` (developer guide); that it is with the role of `$LATEST` too is
  // unverified.
  const latest = head?.latest && servingVersion(head)
  return {
    maximumRetryAttempts: config?.maximumRetryAttempts,
    maximumEventAgeSeconds: config?.maximumEventAgeSeconds,
    onSuccessArn: config?.onSuccessArn,
    onFailureArn: config?.onFailureArn,
    reservedConcurrency: head?.reservedConcurrency,
    deadLetterArn: latest?.deadLetterArn,
    roleArn: latest?.role,
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
