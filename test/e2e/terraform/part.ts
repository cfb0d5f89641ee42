/** One part of what Terraform applies in a single run: each command of it takes seconds, whatever it is about. */
import type { Terraform } from '../../support/terraform.ts'

export interface Part {
  /** Name of its file, without `.tf`. */
  readonly name: string
  /** The configuration, which differs in both rounds. The provider stands elsewhere. */
  configuration(round: 1 | 2): string
  /** Puts other files beside the configuration. */
  prepare?(directory: string): Promise<void>
  /** Looks at what was applied. */
  applied(round: 1 | 2, terraform: Terraform): Promise<void>
  destroyed?(): Promise<void>
}
