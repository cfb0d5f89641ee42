/** The words of a driver's report. */
import type { Enforcement } from './port.ts'

export const enforced: Enforcement = { enforced: true }
export const notEnforced = (why: string): Enforcement => ({ enforced: false, why })
