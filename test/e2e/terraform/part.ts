/** One part of what Terraform applies in a single run: each command of it takes seconds, whatever it is about. */
import type { Terraform } from '../../support/terraform.ts'

/** What was made, what has changed, and what comes of a third look at it. */
export type Round = 1 | 2 | 3

export interface Part {
  /** Name of its file, without `.tf`. */
  readonly name: string
  /** The configuration, which differs in the first two rounds at least. The provider stands elsewhere. */
  configuration(round: Round): string
  /** Puts other files beside the configuration. */
  prepare?(directory: string): Promise<void>
  /** Looks at what was applied. */
  applied(round: Round, terraform: Terraform): Promise<void>
  destroyed?(): Promise<void>
}
