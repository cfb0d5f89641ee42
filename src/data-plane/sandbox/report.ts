/** The words of a driver's report. */
import type { CgroupHost, Controller } from './cgroup/cgroup.ts'
import type { DriverReport, Enforcement } from './port.ts'

export const enforced: Enforcement = { enforced: true }
export const notEnforced = (why: string): Enforcement => ({ enforced: false, why })

/** What the control groups of this machine enforce, for every driver that puts guests into them. */
export function cgroupEnforcement(
  cgroups: CgroupHost | undefined,
): Pick<DriverReport, 'memory' | 'cpu' | 'processes' | 'freeze'> {
  const has = (controller: Controller, why: string) => {
    if (cgroups?.controllers.has(controller)) return enforced
    return notEnforced(`no ${controller} control group can be used here: ${why}`)
  }
  return {
    memory: has(
      'memory',
      'memory is looked at ten times a second and the guest killed when it exceeds its limit',
    ),
    cpu: has('cpu', 'a guest may use every core'),
    processes: has('pids', 'a guest may start as many processes as this user may'),
    freeze: has('freezer', 'idle environments keep running'),
  }
}
