/** The function that most cases begin with, and how answers describe it. */
import { step, type Input, type Step } from './parity-case.ts'

export const ROLE = 'arn:aws:iam::000000000000:role/lambda'
export const ARN = 'arn:aws:lambda:us-east-1:000000000000:function:fn'

/** CreateFunction's input for `fn`. `<zip>` is a package with a handler that returns its event. */
export const CREATE: Input = {
  FunctionName: 'fn',
  Runtime: 'nodejs26.x',
  Role: ROLE,
  Handler: 'index.handler',
  Code: { ZipFile: '<zip>' },
}

/** `fn` exists and is Active. */
export const FN: Step = step('CreateFunction', CREATE, { settles: 'fn', as: 'fn' })
export const fnWith = (more: Input): Step =>
  step('CreateFunction', { ...CREATE, ...more }, { settles: 'fn', as: 'fn' })
export const publish = (more: Input = {}, as = 'version'): Step =>
  step('PublishVersion', { FunctionName: 'fn', ...more }, { as })
export const configure = (more: Input): Step =>
  step('UpdateFunctionConfiguration', { FunctionName: 'fn', ...more }, { settles: 'fn', as: 'configured' })

/**
 * What every description of `fn` holds, as recorded from AWS in 2024; ConfigSha256, a member of the API model since
 * 2026, comes on top.
 */
const COMMON = {
  Architectures: ['x86_64'],
  CodeSha256: '<sha256>',
  CodeSize: '<size>',
  ConfigSha256: '<config sha256>',
  Description: '',
  EphemeralStorage: { Size: 512 },
  FunctionArn: ARN,
  FunctionName: 'fn',
  Handler: 'index.handler',
  LastModified: '<date>',
  LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/fn' },
  MemorySize: 128,
  PackageType: 'Zip',
  RevisionId: '<uuid>',
  Role: ROLE,
  Runtime: 'nodejs26.x',
  SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
  Timeout: 3,
  TracingConfig: { Mode: 'PassThrough' },
  Version: '$LATEST',
}
const RUNTIME = { RuntimeVersionConfig: { RuntimeVersionArn: '<runtime version>' } }

/** As lists show it. */
export const listed = (more: Input = {}) => ({ ...COMMON, FunctionArn: `${ARN}:$LATEST`, ...more })
export const pending = (more: Input = {}) => ({
  ...COMMON,
  ...RUNTIME,
  State: 'Pending',
  StateReason: 'The function is being created.',
  StateReasonCode: 'Creating',
  ...more,
})
export const active = (more: Input = {}) => ({
  ...COMMON,
  ...RUNTIME,
  State: 'Active',
  LastUpdateStatus: 'Successful',
  ...more,
})
export const updating = (more: Input = {}) => ({
  ...COMMON,
  ...RUNTIME,
  State: 'Active',
  LastUpdateStatus: 'InProgress',
  LastUpdateStatusReason: 'The function is being created.',
  LastUpdateStatusReasonCode: 'Creating',
  ...more,
})
export const version = (number: string, more: Input = {}) =>
  active({ FunctionArn: `${ARN}:${number}`, Version: number, ...more })
/** GetFunction's body around a configuration. */
export const got = (configuration: unknown, more: Input = {}) => ({
  Code: { Location: '<url>', RepositoryType: 'S3' },
  Configuration: configuration,
  ...more,
})
