/**
 * Which addresses messages are posted to. This host's own addresses of no network are those that a function can't reach
 * itself: what it may make topics do must not take it there.
 */
import { lookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { BlockList, isIP } from 'node:net'

/** Those of metadata services among them: never reached. */
const LINK_LOCAL = new BlockList()
LINK_LOCAL.addSubnet('169.254.0.0', 16)
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6')
LINK_LOCAL.addAddress('fd00:ec2::254', 'ipv6')

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addSubnet('0.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')
LOOPBACK.addAddress('::', 'ipv6')

export type Reach = (address: string) => boolean

/** `loopback`: whether services of this host itself may be reached. */
export function createReach({ loopback }: { readonly loopback: boolean }): Reach {
  return (address) => {
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    return !LINK_LOCAL.check(address, family) && (loopback || !LOOPBACK.check(address, family))
  }
}

type Found = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

/** For requests: names that lead elsewhere are not found. Addresses that stand in a URL are never looked up. */
export const lookupWithin =
  (reach: Reach) =>
  (hostname: string, options: LookupOptions, found: Found): void => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return found(error, [])
      const [first, ...more] = addresses.filter(({ address }) => reach(address))
      if (!first) return found(new Error(`${hostname} leads to an address that topics do not reach`), [])
      if (options.all) found(null, [first, ...more])
      else found(null, first.address, first.family)
    })
  }
