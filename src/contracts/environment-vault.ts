/**
 * How a function's environment variables rest in the store: their JSON, encrypted under the customer's key when the
 * function has one, and sealed with the installation's key in any case.
 */
import { functionArn, type FunctionId } from '#contracts/arn.ts'
import type { CustomerKeys } from '#contracts/customer-keys.ts'
import { LambdaError } from '#contracts/errors.ts'
import { environmentContext } from '#contracts/function.ts'
import type { Sealer } from '#kernel/sealed.ts'

export interface EnvironmentVault {
  /** Throws KMS's errors when a key is given that can't be used. */
  seal(id: FunctionId, json: string, kmsKeyArn: string | undefined): Promise<string>
  /** Throws KMS's errors, and a plain error when the text was changed or sealed with another key. */
  open(id: FunctionId, sealed: string): Promise<string>
}

/** No JSON begins with it. */
const UNDER_KEY = 'kms '

/** In the form of the API reference of KMS's contexts for Lambda. */
const contextOf = (id: FunctionId) => ({ 'aws:lambda:FunctionArn': functionArn(id) })

export function createEnvironmentVault({
  sealer,
  keys,
}: {
  readonly sealer: Sealer
  readonly keys: CustomerKeys
}): EnvironmentVault {
  return {
    async seal(id, json, kmsKeyArn) {
      const context = environmentContext(id)
      if (kmsKeyArn === undefined) return sealer.seal(json, context)
      if (/:alias\//.test(kmsKeyArn)) {
        // Recorded from AWS, which makes a grant on the key.
        throw new LambdaError('InvalidArnException', 'Key Aliases are not supported for this operation.', {
          status: 400,
        })
      }
      const { ciphertext } = await keys.encrypt(id, {
        keyId: kmsKeyArn,
        plaintext: Buffer.from(json),
        context: contextOf(id),
      })
      const blob = Buffer.from(ciphertext).toString('base64')
      return sealer.seal(`${UNDER_KEY}${kmsKeyArn} ${blob}`, context)
    },
    async open(id, sealed) {
      const inner = sealer.open(sealed, environmentContext(id))
      if (!inner.startsWith(UNDER_KEY)) return inner
      const [keyId = '', blob = ''] = inner.slice(UNDER_KEY.length).split(' ')
      const { plaintext } = await keys.decrypt(id, {
        ciphertext: Buffer.from(blob, 'base64'),
        keyId,
        context: contextOf(id),
      })
      return Buffer.from(plaintext).toString('utf8')
    },
  }
}
