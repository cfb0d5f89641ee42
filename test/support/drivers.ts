/** The sandbox drivers, each with the reason why this machine cannot run it, if there is one. */
import type { DriverName } from '#data-plane/sandbox/port.ts'
import { probeDrivers } from '#data-plane/sandbox/select-driver.ts'

/** Tried for real, so that a driver which is broken is not taken for one that is missing. */
export async function driversHere(): Promise<
  readonly { readonly driver: DriverName; readonly whyNot: string | undefined }[]
> {
  return (await probeDrivers()).map(({ driver, unavailable }) => ({ driver, whyNot: unavailable }))
}
