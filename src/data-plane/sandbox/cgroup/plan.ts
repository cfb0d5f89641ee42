/** Names the cgroups of a sandbox before they exist, for its clean-up plan. */
import { join } from 'node:path'

import type { CgroupHost } from './cgroup.ts'

export function cgroupPlan(host: CgroupHost | undefined, id: string) {
  const name = (parent: string) => join(parent, id)
  return {
    cgroups: (host?.parents ?? []).map(name),
    freezers: (host?.freezerParents ?? []).map(name),
  }
}
