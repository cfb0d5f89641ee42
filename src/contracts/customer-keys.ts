/** KMS keys of customers, for whoever keeps something under one; and what AWS says when such a key can't be used. Pure. */
import type { Scope } from '#contracts/arn.ts'
import { invalidParameter, LambdaError } from '#contracts/errors.ts'

type Context = Readonly<Record<string, string>>

/** Throws KMS's own errors: NotFoundException, DisabledException, KMSInvalidStateException, InvalidArnException. */
export interface CustomerKeys {
  /** Up to 4096 bytes under a key, named by its ARN. Only `decrypt` with an equal context gives them back. */
  encrypt(
    scope: Scope,
    request: { readonly keyId: string; readonly plaintext: Uint8Array; readonly context?: Context },
  ): Promise<{ readonly ciphertext: Uint8Array }>
  decrypt(
    scope: Scope,
    request: { readonly ciphertext: Uint8Array; readonly keyId?: string; readonly context?: Context },
  ): Promise<{ readonly plaintext: Uint8Array }>
}

type Trouble = 'denied' | 'disabled' | 'invalid-state' | 'not-found'

/** KMS's error names. What is none of them was damaged, and is called an invalid state here. */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  AccessDeniedException: 'denied',
  DisabledException: 'disabled',
  NotFoundException: 'not-found',
}
const troubleOf = (error: LambdaError): Trouble => TROUBLES[error.code] ?? 'invalid-state'

/** Names from the API reference. */
const INVOKE_CODES: Readonly<Record<Trouble, string>> = {
  denied: 'KMSAccessDeniedException',
  disabled: 'KMSDisabledException',
  'invalid-state': 'KMSInvalidStateException',
  'not-found': 'KMSNotFoundException',
}
/** `denied` as clients report it; the others after the API reference's words for the same. */
const BECAUSE: Readonly<Record<Trouble, string>> = {
  denied: 'KMS access was denied',
  disabled: 'the KMS key used is disabled',
  'invalid-state': 'the KMS key used is in an invalid state for Decrypt',
  'not-found': 'the KMS key was not found',
}

/** What an invocation is told whose environment can't be started. That nothing stands before "KMS Message" is AWS's form. */
export function decryptFailure(error: unknown): unknown {
  if (!(error instanceof LambdaError)) return error
  const trouble = troubleOf(error)
  return new LambdaError(
    INVOKE_CODES[trouble],
    `Lambda was unable to decrypt the environment variables because ${BECAUSE[trouble]}. Please check the function's KMS key settings. KMS Exception: ${error.code}KMS Message: ${error.message}`,
    { status: 502, withoutType: true, cause: error },
  )
}

/** What is told of other things that rest under a key that can't be used. Names as above; the text is unverified. */
export function keyFailure(error: unknown, what: string): unknown {
  if (!(error instanceof LambdaError)) return error
  const trouble = troubleOf(error)
  return new LambdaError(
    INVOKE_CODES[trouble],
    `Lambda was unable to ${what} because ${BECAUSE[trouble]}. Please check the function's KMS key settings. KMS Exception: ${error.code} KMS Message: ${error.message}`,
    { status: 502, withoutType: true, cause: error },
  )
}

/** What a configuration shows in place of variables that can't be decrypted. The form is `denied`'s, which is recorded. */
export function hiddenVariables(error: unknown): { readonly ErrorCode: string; readonly Message: string } {
  const told = error instanceof LambdaError ? error : undefined
  const trouble = told ? troubleOf(told) : 'invalid-state'
  const because = trouble === 'denied' ? 'the KMS access was denied' : BECAUSE[trouble]
  const check = trouble === 'denied' ? 'KMS permissions' : 'KMS key settings'
  const code = told?.code ?? 'KMSInvalidStateException'
  const message = told?.message ?? 'The variables were sealed with another key.'
  return {
    ErrorCode: code,
    Message: `Lambda was unable to decrypt your environment variables because ${because}. Please check your ${check}. KMS Exception: ${code} KMS Message: ${message}`,
  }
}

/** `InvalidArnException` as clients report it; the others in its form. */
const UNUSABLE: Readonly<Record<Trouble, string>> = {
  denied: 'the KMS access was denied',
  disabled: 'the KMS key is disabled',
  'invalid-state': 'the KMS key is invalid for CreateGrant',
  'not-found': 'the KMS key was not found',
}

/** What a request is told that wants variables to be encrypted under a key that can't. */
export function encryptFailure(error: unknown): unknown {
  if (!(error instanceof LambdaError)) return error
  return invalidParameter(
    `Lambda was unable to configure access to your environment variables because ${UNUSABLE[troubleOf(error)]}. Please check your KMS key settings. KMS Exception: ${error.code} KMS Message: ${error.message}`,
  )
}
