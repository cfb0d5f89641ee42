/** Functions whose variables rest under a customer's KMS key, once that key can't be used. */
import { active, CREATE, fnWith, got } from '../function-bodies.ts'
import {
  invalid,
  ok,
  observed,
  refused,
  step,
  unverified,
  type Expectation,
  type ParityCase,
  type Step,
} from '../parity-case.ts'

const FORM = unverified(
  "the form of the error for a key that may not be used, which clients report; its words are the API reference's",
)
const SHOWN = unverified(
  'the form of the error in Environment that was recorded for a key that may not be used',
)
const GUESS = unverified('the error is documented, its text is not')
const CONFIGURING = observed('users of AWS, who have quoted this text for keys that are not there')

const KEY = step('kms:CreateKey', {}, { as: 'key' })
const KEY_ARN = '<key.KeyMetadata.Arn>'
const DISABLED = step('kms:DisableKey', { KeyId: KEY_ARN })
const LEAVING = step('kms:ScheduleKeyDeletion', { KeyId: KEY_ARN, PendingWindowInDays: 7 })
const VARIABLES = { Environment: { Variables: { SECRET: 'one' } } }
const KEYED = fnWith({ ...VARIABLES, KMSKeyArn: KEY_ARN })

const undecrypted = (because: string, errorType: string, code: string, message: string): Expectation =>
  refused(502, errorType, {
    Message: `Lambda was unable to decrypt the environment variables because ${because}. Please check the function's KMS key settings. KMS Exception: ${code}KMS Message: ${message}`,
  })
const TROUBLES: readonly (readonly [name: string, trouble: Step, expect: Expectation])[] = [
  [
    'a disabled key',
    DISABLED,
    undecrypted(
      'the KMS key used is disabled',
      'KMSDisabledException',
      'DisabledException',
      `${KEY_ARN} is disabled.`,
    ),
  ],
  [
    'a key that waits for its deletion',
    LEAVING,
    undecrypted(
      'the KMS key used is in an invalid state for Decrypt',
      'KMSInvalidStateException',
      'KMSInvalidStateException',
      `${KEY_ARN} is pending deletion.`,
    ),
  ],
]

const HIDDEN = {
  KMSKeyArn: KEY_ARN,
  Environment: {
    Error: {
      ErrorCode: 'DisabledException',
      Message: `Lambda was unable to decrypt your environment variables because the KMS key used is disabled. Please check your KMS key settings. KMS Exception: DisabledException KMS Message: ${KEY_ARN} is disabled.`,
    },
  },
}
const NO_KEY = 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-0000-0000-000000000000'
const durable = (KMSKeyArn: string) =>
  fnWith({
    Code: { ZipFile: '<durable zip>' },
    DurableConfig: { ExecutionTimeout: 60, RetentionPeriodInDays: 1, KMSKeyArn },
  })
const inaccessible = (because: string, errorType: string, cause: string) =>
  refused(502, errorType, {
    Message: `Lambda was unable to access the data of the durable execution because ${because}. Please check the function's KMS key settings. KMS Exception: ${cause}`,
  })

export const customerKeyCases: readonly ParityCase[] = [
  {
    operation: 'InvokeWithResponseStream',
    name: 'a durable execution under a key that is not there',
    given: [durable(NO_KEY)],
    input: { FunctionName: 'fn:$LATEST' },
    expect: inaccessible(
      'the KMS key was not found',
      'KMSNotFoundException',
      `NotFoundException KMS Message: Key '${NO_KEY}' does not exist`,
    ),
    source: GUESS,
  },
  ...['Invoke', 'InvokeWithResponseStream'].flatMap((operation) =>
    TROUBLES.map(([name, trouble, expect]) => ({
      operation,
      name: `variables under ${name}`,
      given: [KEY, KEYED, trouble],
      input: { FunctionName: 'fn' },
      expect,
      source: FORM,
    })),
  ),
  {
    operation: 'Invoke',
    name: 'a durable execution under a disabled key',
    given: [KEY, durable(KEY_ARN), DISABLED],
    input: { FunctionName: 'fn:$LATEST' },
    expect: inaccessible(
      'the KMS key used is disabled',
      'KMSDisabledException',
      `DisabledException KMS Message: ${KEY_ARN} is disabled.`,
    ),
    source: GUESS,
  },
  {
    operation: 'Invoke',
    name: 'a durable execution under a key that is not there',
    given: [durable(NO_KEY)],
    input: { FunctionName: 'fn:$LATEST' },
    expect: inaccessible(
      'the KMS key was not found',
      'KMSNotFoundException',
      `NotFoundException KMS Message: Key '${NO_KEY}' does not exist`,
    ),
    source: GUESS,
  },
  {
    operation: 'CreateFunction',
    name: 'variables under a disabled key',
    given: [KEY, DISABLED],
    input: { ...CREATE, ...VARIABLES, KMSKeyArn: KEY_ARN },
    expect: invalid(
      `Lambda was unable to configure access to your environment variables because the KMS key is disabled. Please check your KMS key settings. KMS Exception: DisabledException KMS Message: ${KEY_ARN} is disabled.`,
    ),
    source: CONFIGURING,
  },
  {
    operation: 'UpdateFunctionConfiguration',
    name: 'variables under a disabled key',
    given: [KEY, KEYED, DISABLED],
    input: { FunctionName: 'fn', ...VARIABLES },
    expect: invalid(
      `Lambda was unable to configure access to your environment variables because the KMS key is disabled. Please check your KMS key settings. KMS Exception: DisabledException KMS Message: ${KEY_ARN} is disabled.`,
    ),
    source: CONFIGURING,
  },
  {
    operation: 'GetFunctionConfiguration',
    name: 'variables under a disabled key are hidden',
    given: [KEY, KEYED, DISABLED],
    input: { FunctionName: 'fn' },
    expect: ok(active(HIDDEN)),
    source: SHOWN,
  },
  {
    operation: 'GetFunction',
    name: 'variables under a disabled key are hidden',
    given: [KEY, KEYED, DISABLED],
    input: { FunctionName: 'fn' },
    expect: ok(got(active(HIDDEN))),
    source: SHOWN,
  },
]
