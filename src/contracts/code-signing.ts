/** Code signing configurations: whose signatures a deployment needs, and what happens without one. */
import type { Scope } from '#contracts/arn.ts'

export interface CodeSigningConfig extends Scope {
  /** `csc-` and 17 hexadecimal digits. */
  readonly configId: string
  readonly description: string
  readonly signingProfileVersionArns: readonly string[]
  /** `Enforce` refuses code without a valid signature, `Warn` accepts it. */
  readonly untrustedArtifactOnDeployment: 'Warn' | 'Enforce'
  readonly tags: Readonly<Record<string, string>>
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number
}
