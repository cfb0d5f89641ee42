/** Code packages under a customer's KMS key (`SourceKMSKeyArn`): each is encrypted with a data key of its own. */
import { randomBytes } from 'node:crypto'

import { functionArn, type FunctionId } from '#contracts/arn.ts'
import { keyFailure, type CustomerKeys } from '#contracts/customer-keys.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'

export interface PackageEncryption {
  readonly kmsKeyArn: string
  /** Encrypted under that key, base64. */
  readonly dataKey: string
}

/** A data key that is not used yet. */
export interface PackageSealing {
  readonly key: Uint8Array
  readonly encryption: PackageEncryption
}

export interface PackageKeys {
  /** Throws InvalidParameterValueException when the KMS key can't be used. */
  create(id: FunctionId, kmsKeyArn: string): Promise<PackageSealing>
  /** Throws the errors that AWS has for keys that can't be used. */
  open(id: FunctionId, encryption: PackageEncryption): Promise<Uint8Array>
}

const KEY_BYTES = 32

export function createPackageKeys(keys: CustomerKeys): PackageKeys {
  const contextOf = (id: FunctionId) => ({ 'aws:lambda:FunctionArn': functionArn(id) })
  return {
    async create(id, kmsKeyArn) {
      const key = randomBytes(KEY_BYTES)
      try {
        const { ciphertext } = await keys.encrypt(id, {
          keyId: kmsKeyArn,
          plaintext: key,
          context: contextOf(id),
        })
        return { key, encryption: { kmsKeyArn, dataKey: Buffer.from(ciphertext).toString('base64') } }
      } catch (error) {
        if (!(error instanceof LambdaError)) throw error
        // Text unverified.
        throw invalidParameter(
          `Lambda was unable to encrypt the deployment package. Please check your KMS key settings. KMS Exception: ${error.code} KMS Message: ${error.message}`,
        )
      }
    },
    async open(id, { dataKey }) {
      try {
        const { plaintext } = await keys.decrypt(id, {
          ciphertext: Buffer.from(dataKey, 'base64'),
          context: contextOf(id),
        })
        return plaintext
      } catch (error) {
        throw keyFailure(error, 'decrypt the deployment package')
      }
    },
  }
}
