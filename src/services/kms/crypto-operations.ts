/** What keys are for: encrypt, decrypt, data keys, random bytes. */
import { randomBytes } from 'node:crypto'

import type {
  DecryptRequest,
  EncryptRequest,
  GenerateDataKeyRequest,
  GenerateRandomRequest,
  ReEncryptRequest,
} from '@aws-sdk/client-kms'

import type { Scope } from '#contracts/arn.ts'
import { kmsKeyArn, type KmsKey } from '#contracts/kms.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { decryptUnder, encryptUnder, keyIdOf, type EncryptionContext } from './envelope.ts'
import { checkUsable, type KeyStore } from './key-store.ts'
import { dryRun, incorrectKey, invalidCiphertext, unsupported, validation } from './kms-errors.ts'
import type { KeyService } from './port.ts'

const ALGORITHM = 'SYMMETRIC_DEFAULT'
const SPEC_BYTES: Readonly<Record<string, number>> = { AES_128: 16, AES_256: 32 }

interface Opened {
  readonly key: KmsKey
  readonly plaintext: Uint8Array
}

interface Sealing {
  readonly keyId: string
  readonly plaintext: Uint8Array
  readonly context: EncryptionContext | undefined
}

interface Opening {
  readonly blob: Uint8Array | undefined
  readonly keyId: string | undefined
  readonly context: EncryptionContext | undefined
}

export function createCryptoOperations({ keys }: { readonly keys: KeyStore }): {
  readonly handlers: OperationHandlers
  readonly service: KeyService
} {
  const seal = async (scope: Scope, { keyId, plaintext, context = {} }: Sealing) => {
    const { doc: key } = await keys.find(scope, keyId, { aliases: true })
    checkUsable(key)
    return { key, blob: encryptUnder(key, keys.material(key), plaintext, context) }
  }

  const open = async (scope: Scope, { blob, keyId, context = {} }: Opening): Promise<Opened> => {
    if (!blob) throw validation('CiphertextBlob is required.')
    const id = keyIdOf(blob)
    const wanted = keyId === undefined ? undefined : (await keys.find(scope, keyId, { aliases: true })).doc
    const key = id === undefined ? undefined : (await keys.byId(wanted ?? scope, id))?.doc
    if (!key) throw invalidCiphertext()
    if (wanted && wanted.id !== key.id) throw incorrectKey()
    checkUsable(key)
    const plaintext = decryptUnder(key, keys.material(key), blob, context)
    if (!plaintext) throw invalidCiphertext()
    return { key, plaintext }
  }

  const encrypt: OperationHandler<EncryptRequest, object> = async (input, scope) => {
    const { KeyId = '', Plaintext = new Uint8Array(), EncryptionContext: context } = input
    checkAlgorithm(input.EncryptionAlgorithm)
    const { key, blob } = await seal(scope, { keyId: KeyId, plaintext: Plaintext, context })
    if (input.DryRun) throw dryRun()
    return { CiphertextBlob: blob, KeyId: kmsKeyArn(key), EncryptionAlgorithm: ALGORITHM }
  }

  const decrypt: OperationHandler<DecryptRequest, object> = async (input, scope) => {
    checkAlgorithm(input.EncryptionAlgorithm)
    checkRecipient(input)
    const { key, plaintext } = await open(scope, {
      blob: input.CiphertextBlob,
      keyId: input.KeyId,
      context: input.EncryptionContext,
    })
    if (input.DryRun) throw dryRun()
    return {
      KeyId: kmsKeyArn(key),
      Plaintext: plaintext,
      EncryptionAlgorithm: ALGORITHM,
      KeyMaterialId: key.materialId,
    }
  }

  const reEncrypt: OperationHandler<ReEncryptRequest, object> = async (input, scope) => {
    checkAlgorithm(input.SourceEncryptionAlgorithm)
    checkAlgorithm(input.DestinationEncryptionAlgorithm)
    const source = await open(scope, {
      blob: input.CiphertextBlob,
      keyId: input.SourceKeyId,
      context: input.SourceEncryptionContext,
    })
    const { key, blob } = await seal(scope, {
      keyId: input.DestinationKeyId ?? '',
      plaintext: source.plaintext,
      context: input.DestinationEncryptionContext,
    })
    if (input.DryRun) throw dryRun()
    return {
      CiphertextBlob: blob,
      SourceKeyId: kmsKeyArn(source.key),
      KeyId: kmsKeyArn(key),
      SourceEncryptionAlgorithm: ALGORITHM,
      DestinationEncryptionAlgorithm: ALGORITHM,
      SourceKeyMaterialId: source.key.materialId,
      DestinationKeyMaterialId: key.materialId,
    }
  }

  const dataKey = async (input: GenerateDataKeyRequest, scope: Scope) => {
    checkRecipient(input)
    const plaintext = randomBytes(dataKeyBytes(input))
    const { KeyId = '', EncryptionContext: context } = input
    const { key, blob } = await seal(scope, { keyId: KeyId, plaintext, context })
    if (input.DryRun) throw dryRun()
    return {
      plaintext,
      view: { CiphertextBlob: blob, KeyId: kmsKeyArn(key), KeyMaterialId: key.materialId },
    }
  }

  const generateDataKey: OperationHandler<GenerateDataKeyRequest, object> = async (input, scope) => {
    const { plaintext, view } = await dataKey(input, scope)
    return { ...view, Plaintext: plaintext }
  }
  const generateDataKeyWithoutPlaintext: OperationHandler<GenerateDataKeyRequest, object> = async (
    input,
    scope,
  ) => (await dataKey(input, scope)).view

  const generateRandom: OperationHandler<GenerateRandomRequest, object> = async (input) => {
    checkRecipient(input)
    if (input.NumberOfBytes === undefined) throw validation('NumberOfBytes is required.')
    return { Plaintext: randomBytes(input.NumberOfBytes) }
  }

  return {
    handlers: {
      Encrypt: encrypt,
      Decrypt: decrypt,
      ReEncrypt: reEncrypt,
      GenerateDataKey: generateDataKey,
      GenerateDataKeyWithoutPlaintext: generateDataKeyWithoutPlaintext,
      GenerateRandom: generateRandom,
    },
    service: {
      async encrypt(scope, { keyId, plaintext, context }) {
        const { key, blob } = await seal(scope, { keyId, plaintext, context })
        return { ciphertext: blob, keyArn: kmsKeyArn(key) }
      },
      async decrypt(scope, { ciphertext, keyId, context }) {
        const { key, plaintext } = await open(scope, { blob: ciphertext, keyId, context })
        return { plaintext, keyArn: kmsKeyArn(key) }
      },
    },
  }
}

/** Texts as clients report them. */
function dataKeyBytes({ KeySpec, NumberOfBytes }: GenerateDataKeyRequest): number {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw validation('Please specify either number of bytes or key spec.')
  }
  return NumberOfBytes ?? SPEC_BYTES[KeySpec ?? ''] ?? 32
}

function checkAlgorithm(algorithm: string | undefined): void {
  // Text unverified: keys here know only one algorithm.
  if (algorithm !== undefined && algorithm !== ALGORITHM) {
    throw validation(`Algorithm ${algorithm} is incompatible with key spec SYMMETRIC_DEFAULT.`)
  }
}

/** Answers sealed for an enclave are not made here. */
function checkRecipient({ Recipient }: { readonly Recipient?: object }): void {
  if (Recipient !== undefined) throw unsupported('Recipients are not available here')
}
