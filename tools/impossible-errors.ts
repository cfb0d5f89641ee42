/** Documented errors that cannot come about here, or that no test can provoke, with the reason. Printed in the parity table. */

interface Impossible {
  readonly errors: readonly string[]
  /** Left out: all operations that document them. */
  readonly operations?: readonly string[]
  readonly because: string
}

export const IMPOSSIBLE: readonly Impossible[] = [
  {
    errors: [
      'EC2AccessDeniedException',
      'EC2ThrottledException',
      'EC2UnexpectedException',
      'ENILimitReachedException',
      'ENINotReadyException',
      'InvalidSecurityGroupIDException',
      'InvalidSubnetIDException',
      'ResourceNotReadyException',
      'SubnetIPAddressLimitReachedException',
    ],
    because: 'the network of a function comes from its host: no network interface is made in a VPC',
  },
  {
    errors: [
      'EFSIOException',
      'EFSMountConnectivityException',
      'EFSMountTimeoutException',
      'S3FilesMountConnectivityException',
      'S3FilesMountTimeoutException',
    ],
    because:
      'file systems are directories of the host: nothing is connected to, nothing is waited for, and what fails in them fails in the function',
  },
  {
    errors: [
      'CodeArtifactUserDeletedException',
      'CodeArtifactUserFailedException',
      'CodeArtifactUserPendingException',
    ],
    because: 'code is read by the program itself: no user is made for it',
  },
  {
    errors: ['SnapStartRegenerationFailureException'],
    because: 'a snapshot that is lost is taken again while the version initialises as usual',
  },
  {
    errors: ['SnapStartException', 'SnapStartNotReadyException', 'SnapStartTimeoutException'],
    operations: ['InvokeAsync'],
    because: 'the event is accepted before it meets the snapshot',
  },
  {
    errors: ['PublicPolicyException'],
    because: 'the API has no operation to block public policies with',
  },
  {
    errors: ['ModeNotSupportedException'],
    because:
      'AWS documents no setting that makes a function refuse a mode of invocation, and nobody has recorded it',
  },
  {
    errors: ['ServiceQuotaExceededException'],
    operations: ['Invoke', 'InvokeAsync', 'InvokeWithResponseStream'],
    because:
      'AWS does not say which quota an invocation exceeds: concurrency and rates are TooManyRequestsException',
  },
  { errors: ['AliasLimitExceededException'], because: 'AWS publishes no limit on the number of aliases' },
  {
    errors: ['InvalidCodeSignatureException'],
    because:
      'code that was changed after it was signed ends in CodeVerificationFailedException, as was recorded from AWS',
  },
  {
    errors: ['UnsupportedMediaTypeException'],
    because: 'no content type of a payload is refused: SDKs and other clients send several',
  },
  {
    errors: ['SerializedRequestEntityTooLargeException'],
    because: 'a payload that is too large ends in RequestEntityTooLargeException',
  },
  {
    errors: ['ResourceNotFoundException'],
    operations: ['DeleteLayerVersion', 'ListLayerVersions', 'PublishLayerVersion'],
    because: 'what a layer does not have is listed as nothing, deleted without a word and published anew',
  },
  {
    errors: ['ResourceNotFoundException'],
    operations: [
      'SendDurableExecutionCallbackFailure',
      'SendDurableExecutionCallbackHeartbeat',
      'SendDurableExecutionCallbackSuccess',
    ],
    because:
      'callbacks that are not there any more end in CallbackTimeoutException, as users of AWS have quoted it',
  },
  {
    errors: ['ResourceNotFoundException'],
    operations: ['CreateEventSourceMapping'],
    because:
      'a function that is not there ends in InvalidParameterValueException, as was recorded from AWS; sources are not looked for',
  },
  {
    errors: ['ResourceNotFoundException'],
    operations: ['ListEventSourceMappings'],
    because: 'a function that is not there has no mappings',
  },
  {
    errors: [
      'EFSMountFailureException',
      'InvalidRuntimeException',
      'KMSAccessDeniedException',
      'KMSDisabledException',
      'KMSInvalidStateException',
      'KMSNotFoundException',
      'S3FilesMountFailureException',
    ],
    operations: ['InvokeAsync'],
    because: 'answers before the function is started',
  },
  {
    errors: ['KMSNotFoundException'],
    operations: [
      'CheckpointDurableExecution',
      'GetDurableExecution',
      'GetDurableExecutionHistory',
      'GetDurableExecutionState',
      'SendDurableExecutionCallbackFailure',
      'SendDurableExecutionCallbackSuccess',
      'StopDurableExecution',
    ],
    because:
      'nothing begins without its key, which then is in an invalid state for a week at least before it is gone',
  },
  {
    errors: ['KMSAccessDeniedException'],
    because: 'Lambda uses the keys of functions itself: no policy is asked about it',
  },
  {
    errors: ['CodeSigningConfigNotFoundException'],
    operations: [
      'DeleteFunctionCodeSigningConfig',
      'GetFunctionCodeSigningConfig',
      'UpdateFunctionCode',
      'UpdateFunctionConfiguration',
    ],
    because: 'a configuration that a function has cannot be deleted',
  },
  {
    errors: ['CodeStorageExceededException'],
    because: 'needs 300 GB of code; `src/control-plane/api/settings.test.ts` shows it',
  },
  {
    errors: ['ResourceConflictException'],
    operations: [
      'DeleteAlias',
      'DeleteEventSourceMapping',
      'DeleteFunctionCodeSigningConfig',
      'DeleteFunctionConcurrency',
      'DeleteFunctionEventInvokeConfig',
      'DeleteFunctionUrlConfig',
      'DeleteProvisionedConcurrencyConfig',
      'DeleteResourcePolicy',
      'PutFunctionCodeSigningConfig',
      'PutFunctionConcurrency',
      'PutFunctionEventInvokeConfig',
      'PutFunctionRecursionConfig',
      'PutResourcePolicy',
      'PutRuntimeManagementConfig',
      'TagResource',
      'UntagResource',
      'UpdateFunctionEventInvokeConfig',
      'UpdateFunctionUrlConfig',
    ],
    because:
      'requests that change one resource take turns and are tried again; what else AWS refuses them for is not documented',
  },
  {
    errors: ['TooManyRequestsException'],
    operations: [
      'CheckpointDurableExecution',
      'GetDurableExecutionState',
      'SendDurableExecutionCallbackFailure',
      'SendDurableExecutionCallbackHeartbeat',
      'SendDurableExecutionCallbackSuccess',
    ],
    because:
      'with `--api-rates aws` above 3,000 a second, which `src/wire/limit-api-rates.test.ts` shows but no case can reach',
  },
]

/** Why an operation never ends in this error here; undefined when it can. */
export const impossibleBecause = (operation: string, error: string): string | undefined =>
  IMPOSSIBLE.find(
    ({ errors, operations }) => errors.includes(error) && (operations?.includes(operation) ?? true),
  )?.because
