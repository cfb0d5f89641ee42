/** What the generator can't read from the SDK or from the tables beside this file, each with its source. */
import type { ValidationStyle } from '#wire/model.ts'

export interface ServiceRecipe {
  readonly name: string
  readonly protocol: 'rest-json' | 'aws-json-1.1'
  readonly signingName: string
  readonly targetPrefix?: string
  readonly validation: ValidationStyle
  /** Undefined: every operation. */
  readonly operations?: readonly string[]
  /** HTTP status that AWS sends where it differs from the model. */
  readonly statuses?: Readonly<Record<string, number>>
  /** Enum values in the order in which AWS's texts list them (recorded from AWS). */
  readonly enumOrder?: Readonly<Record<string, readonly string[]>>
  /** `Structure.Member`s whose enum the service checks itself, with another text. */
  readonly unchecked?: readonly string[]
}

export const LAMBDA: ServiceRecipe = {
  name: 'lambda',
  protocol: 'rest-json',
  signingName: 'lambda',
  // Recorded from AWS.
  validation: { error: 'ValidationException', quotesValues: true, elementsNotNull: true },
  // Recorded from AWS: the model says 200.
  statuses: { DeleteFunction: 204 },
  // Recorded from AWS. The order of all others is the model's, unverified.
  enumOrder: {
    Architecture: ['x86_64', 'arm64'],
    InvokeMode: ['RESPONSE_STREAM', 'BUFFERED'],
    FunctionVersion: ['ALL'],
    EventSourcePosition: ['LATEST', 'AT_TIMESTAMP', 'TRIM_HORIZON'],
    SnapStartApplyOn: ['PublishedVersions', 'None'],
    RecursiveLoop: ['Terminate', 'Allow'],
  },
  // Recorded from AWS: an unknown runtime is an InvalidParameterValueException that also allows ARNs.
  unchecked: ['CreateFunctionRequest.Runtime', 'UpdateFunctionConfigurationRequest.Runtime'],
}

export const LOGS: ServiceRecipe = {
  name: 'logs',
  protocol: 'aws-json-1.1',
  signingName: 'logs',
  targetPrefix: 'Logs_20140328',
  // The name and the texts as clients report them; those of 2026 leave the value out, older ones had it.
  validation: { error: 'InvalidParameterException', quotesValues: false, elementsNotNull: false },
  operations: [
    'CreateLogGroup',
    'CreateLogStream',
    'DeleteLogGroup',
    'DeleteLogStream',
    'DeleteRetentionPolicy',
    'DescribeLogGroups',
    'DescribeLogStreams',
    'FilterLogEvents',
    'GetLogEvents',
    'ListLogGroups',
    'ListTagsForResource',
    'ListTagsLogGroup',
    'PutLogEvents',
    'PutRetentionPolicy',
    'TagLogGroup',
    'TagResource',
    'UntagLogGroup',
    'UntagResource',
  ],
}
