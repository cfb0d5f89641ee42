/** Code signing: whose signatures a deployment needs, what happens without one, and what a signature says. Pure. */
import type { Scope } from '#contracts/arn.ts'

export interface CodeSigningConfig extends Scope {
  /** `csc-` and 17 hexadecimal digits. */
  readonly configId: string
  /** Undefined until somebody gives one or changes the configuration. */
  readonly description?: string
  readonly signingProfileVersionArns: readonly string[]
  /** `Enforce` refuses code without a valid signature, `Warn` accepts it. */
  readonly untrustedArtifactOnDeployment: 'Warn' | 'Enforce'
  readonly tags: Readonly<Record<string, string>>
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number
}

/** What was found when a package was stored. Its bytes never change, so neither does this. */
export type CodeSignature =
  | {
      readonly profileVersionArn: string
      readonly jobArn: string
      /** Milliseconds since the epoch. */
      readonly signedAt: number
      readonly expiresAt: number
      readonly broken?: undefined
    }
  /** There is a signature, but it is not one of these bytes, or of nobody who is trusted. */
  | { readonly broken: string }

/** As AWS's records name them. */
export type SignatureStatus = 'VALID' | 'INVALID' | 'EXPIRED' | 'MISMATCH' | 'REVOKED'

/** What a signature is worth under a configuration now. */
export function signatureStatus(
  signature: CodeSignature | undefined,
  config: Pick<CodeSigningConfig, 'signingProfileVersionArns'>,
  { nowMs, isRevoked }: { readonly nowMs: number; readonly isRevoked: boolean },
): SignatureStatus {
  if (!signature) return 'MISMATCH'
  if (signature.broken !== undefined) return 'INVALID'
  if (!config.signingProfileVersionArns.includes(signature.profileVersionArn)) return 'MISMATCH'
  if (nowMs >= signature.expiresAt) return 'EXPIRED'
  return isRevoked ? 'REVOKED' : 'VALID'
}
