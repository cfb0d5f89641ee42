/** Texts of settings that say what of this host stands for resources of AWS: subnets and file systems. */
import { createHash } from 'node:crypto'
import { isAbsolute } from 'node:path'

import type { FunctionNetwork, Subnet, Subnets } from '#contracts/network.ts'

const NETWORKS: ReadonlySet<string> = new Set(['internet', 'endpoint', 'none'])
const SUBNET_ID = /^subnet-[0-9a-z]+$/
const VPC_ID = /^vpc-[0-9a-z]+$/
const ACCESS_POINT_ID = /^fsap-[0-9a-f]{17,40}$/

/** A text that can't be used; the message says what is allowed. */
export class BadMapping extends Error {
  override name = 'BadMapping'
}

const entriesOf = (text: string) =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')

const derivedVpcId = (text: string) => `vpc-${createHash('sha256').update(text).digest('hex').slice(0, 17)}`

/**
 * `subnet-1=none,subnet-2=endpoint:vpc-9`: the network of each subnet and, where it matters, its VPC. Subnets without one
 * are in one VPC together. With an empty text every id is a subnet that reaches the internet.
 */
export function readSubnets(text: string): Subnets {
  const entries = entriesOf(text)
  if (entries.length === 0) {
    return {
      find: (subnetId) => ({ vpcId: derivedVpcId(subnetId), network: 'internet' }),
    }
  }
  const subnets = new Map<string, Subnet>()
  for (const entry of entries) {
    const [, id = '', network = '', vpcId = derivedVpcId('')] =
      /^([^=]+)=([^:]+)(?::(.+))?$/.exec(entry) ?? []
    if (!SUBNET_ID.test(id) || !NETWORKS.has(network) || !VPC_ID.test(vpcId)) {
      throw new BadMapping(
        `"${entry}" is not of the form subnet-ID=internet, =endpoint or =none, followed by :vpc-ID if you like`,
      )
    }
    subnets.set(id, { vpcId, network: network as FunctionNetwork })
  }
  return { find: (subnetId) => subnets.get(subnetId) }
}

/** `fsap-0123456789abcdef0=/srv/data`: the directory of this host that each access point stands for, by its id. */
export function readFileSystems(text: string): ReadonlyMap<string, string> {
  const directories = new Map<string, string>()
  for (const entry of entriesOf(text)) {
    const at = entry.indexOf('=')
    const [id, directory] = [entry.slice(0, Math.max(0, at)), entry.slice(at + 1)]
    if (!ACCESS_POINT_ID.test(id) || !isAbsolute(directory) || directory === '/') {
      throw new BadMapping(`"${entry}" is not of the form fsap-ID=/absolute/directory`)
    }
    directories.set(id, directory)
  }
  return directories
}
