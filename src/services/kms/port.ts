/** Keys of customers, for services that keep secrets under them. */
import type { Scope } from '#contracts/arn.ts'

export interface KeyService {
  /**
   * Up to 4096 bytes under a key, named by id, ARN or alias. Only `decrypt` with an equal context gives them back.
   * Throws KMS's own errors: NotFoundException, DisabledException, KMSInvalidStateException.
   */
  encrypt(
    scope: Scope,
    request: {
      readonly keyId: string
      readonly plaintext: Uint8Array
      readonly context?: Readonly<Record<string, string>>
    },
  ): Promise<{ readonly ciphertext: Uint8Array; readonly keyArn: string }>
  /** Throws the errors above, InvalidCiphertextException, and IncorrectKeyException when `keyId` is not the key. */
  decrypt(
    scope: Scope,
    request: {
      readonly ciphertext: Uint8Array
      readonly keyId?: string
      readonly context?: Readonly<Record<string, string>>
    },
  ): Promise<{ readonly plaintext: Uint8Array; readonly keyArn: string }>
}
