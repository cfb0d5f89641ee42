/** What the network of a function reaches, and which subnet of a VPC stands for which. */

/**
 * - `internet`: what functions outside of a VPC reach too.
 * - `endpoint`: the API endpoint of this program, nothing else.
 * - `none`: nothing; only the Runtime API, which is inside of the environment.
 */
export type FunctionNetwork = 'internet' | 'endpoint' | 'none'

export interface Subnet {
  readonly vpcId: string
  readonly network: FunctionNetwork
}

/** The subnets that the owner of this machine has described; without any, every id is a subnet that reaches everything. */
export interface Subnets {
  /** Undefined: there is no such subnet. */
  find(subnetId: string): Subnet | undefined
}

const OPENNESS: readonly FunctionNetwork[] = ['none', 'endpoint', 'internet']

/**
 * The network of a function in these subnets: the most closed one, because AWS may put an environment in any of them.
 * Undefined lists mean that the function is in no VPC.
 */
export function networkOf(subnets: Subnets, subnetIds: readonly string[] | undefined): FunctionNetwork {
  const all = (subnetIds ?? []).map((id) => subnets.find(id)?.network ?? 'none')
  return all.reduce<FunctionNetwork>(
    (closed, next) => (OPENNESS.indexOf(next) < OPENNESS.indexOf(closed) ? next : closed),
    'internet',
  )
}
