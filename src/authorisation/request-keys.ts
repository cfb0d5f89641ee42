/** The condition keys of one request, and which of them a decision was made of. */
import type { ContextLookup } from '#contracts/policy-evaluation/wildcard.ts'

import type { Need } from './needs/need.ts'

export interface RequestFacts {
  readonly region: string
  readonly sourceIp: string | undefined
  readonly userAgent: string | undefined
  /** Wall-clock milliseconds. */
  readonly nowMs: number
}

export interface RequestKeys {
  readonly lookUp: ContextLookup
  /** True when something was looked at that the next request of the same caller for the same may have otherwise. */
  readonly isOfThisRequest: boolean
  /** True when something was asked for that only the resource itself can tell, and it had not been read. */
  readonly wantsResource: boolean
}

/** What the store says of the resource. */
export interface ResourceFacts {
  readonly tags: Readonly<Record<string, string>>
  /** Condition keys, in lower case. */
  readonly keys: Readonly<Record<string, readonly string[]>>
}

const RESOURCE_TAG = /^(?:aws|lambda):resourcetag\//

export function createRequestKeys(
  { region, sourceIp, userAgent, nowMs }: RequestFacts,
  {
    need,
    callerKeys,
    resource,
  }: {
    readonly need: Need
    readonly callerKeys: Readonly<Record<string, readonly string[]>>
    readonly resource: ResourceFacts | undefined
  },
): RequestKeys {
  let isOfThisRequest = false
  let wantsResource = false

  const ofRequest = (key: string): readonly string[] | undefined => {
    switch (key) {
      case 'aws:currenttime':
        return [new Date(nowMs).toISOString()]
      case 'aws:epochtime':
        return [String(Math.floor(nowMs / 1000))]
      case 'aws:sourceip':
        return sourceIp === undefined ? undefined : [sourceIp]
      case 'aws:useragent':
        return userAgent === undefined ? undefined : [userAgent]
      case 'aws:requestedregion':
        return [region]
      default:
        return undefined
    }
  }

  const resourceTag = (key: string): readonly string[] | undefined => {
    if (!resource) {
      wantsResource = true
      return undefined
    }
    const wanted = key.slice(key.indexOf('/') + 1)
    const found = Object.entries(resource.tags).find(([name]) => name.toLowerCase() === wanted)
    return found && [found[1]]
  }

  return {
    lookUp(key) {
      if (Object.hasOwn(callerKeys, key)) return callerKeys[key]
      switch (key) {
        case 'aws:resourceaccount':
          return [need.account]
        case 'aws:principalisawsservice':
        case 'aws:viaawsservice':
        // The endpoint speaks plain HTTP; whoever needs more puts a proxy in front of it.
        case 'aws:securetransport':
          return ['false']
        // There are no organizations.
        case 'aws:principalorgid':
          return undefined
        default:
      }
      if (key.startsWith('aws:principaltag/')) return undefined
      isOfThisRequest = true
      if (need.keys && Object.hasOwn(need.keys, key)) return need.keys[key]
      if (RESOURCE_TAG.test(key)) return resourceTag(key)
      if (resource && Object.hasOwn(resource.keys, key)) return resource.keys[key]
      if (!resource && need.mapping) wantsResource ||= key === 'lambda:functionarn'
      return ofRequest(key)
    },
    get isOfThisRequest() {
      return isOfThisRequest
    },
    get wantsResource() {
      return wantsResource
    },
  }
}
