/** How the filters of a mapping that names a KMS key rest in the store: under a data key of their own. */
import { randomBytes } from 'node:crypto'

import { mappingArn, type Scope } from '#contracts/arn.ts'
import type { CustomerKeys } from '#contracts/customer-keys.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'
import type { MappingSettings } from '#contracts/mapping.ts'
import { createSealer } from '#kernel/sealed.ts'

type Place = Scope & { readonly uuid: string }

export interface FilterVault {
  /** Throws InvalidParameterValueException when the key can't be used. */
  seal(place: Place, patterns: readonly string[], kmsKeyArn: string): Promise<string>
  /** The filters as they are, opened when they are sealed. Throws KMS's errors, and a plain one for changed bytes. */
  open(
    place: Place,
    settings: Pick<MappingSettings, 'filters' | 'sealedFilters'>,
  ): Promise<readonly string[] | undefined>
}

interface Sealed {
  /** The data key, encrypted under the customer's key. */
  readonly dataKey: string
  readonly body: string
}

const KEY_BYTES = 32

export function createFilterVault(keys: CustomerKeys): FilterVault {
  const contextOf = (place: Place) => ({ 'aws:lambda:EventSourceArn': mappingArn(place, place.uuid) })
  const bodyContext = ({ account, region, uuid }: Place) => `mapping-filters/${account}/${region}/${uuid}`
  return {
    async seal(place, patterns, kmsKeyArn) {
      const dataKey = randomBytes(KEY_BYTES)
      try {
        const { ciphertext } = await keys.encrypt(place, {
          keyId: kmsKeyArn,
          plaintext: dataKey,
          context: contextOf(place),
        })
        const sealed: Sealed = {
          dataKey: Buffer.from(ciphertext).toString('base64'),
          body: createSealer(dataKey).seal(JSON.stringify(patterns), bodyContext(place)),
        }
        return JSON.stringify(sealed)
      } catch (error) {
        if (!(error instanceof LambdaError)) throw error
        // Text unverified.
        throw invalidParameter(
          `Lambda was unable to encrypt the filter criteria. Please check your KMS key settings. KMS Exception: ${error.code} KMS Message: ${error.message}`,
        )
      }
    },
    async open(place, { filters, sealedFilters }) {
      if (sealedFilters === undefined) return filters
      const { dataKey, body } = JSON.parse(sealedFilters) as Sealed
      const { plaintext } = await keys.decrypt(place, {
        ciphertext: Buffer.from(dataKey, 'base64'),
        context: contextOf(place),
      })
      return JSON.parse(createSealer(plaintext).open(body, bodyContext(place))) as readonly string[]
    },
  }
}
