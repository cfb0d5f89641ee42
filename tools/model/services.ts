/** What the generator can't read from the SDK or from the tables beside this file, each with its source. */
import type { ServiceModel, ValidationStyle } from '#wire/model.ts'

export interface ServiceRecipe {
  readonly name: string
  readonly protocol: ServiceModel['protocol']
  readonly signingName: string
  readonly targetPrefix?: string
  readonly query?: ServiceModel['query']
  readonly errorNamespace?: string
  readonly validation: ValidationStyle
  /** Undefined: every operation. */
  readonly operations?: readonly string[]
  /** Names of the SDK's error classes; undefined: every error. */
  readonly errors?: readonly string[]
  /** HTTP status that AWS sends where it differs from the model. */
  readonly statuses?: Readonly<Record<string, number>>
  /** Enum values in the order in which AWS's texts list them (recorded from AWS). */
  readonly enumOrder?: Readonly<Record<string, readonly string[]>>
  /** `Structure.Member`s whose enum the service checks itself, with another text. */
  readonly unchecked?: readonly string[]
  /** Errors that the service's model lacks, with their names in the query protocol. */
  readonly commonErrors?: Readonly<Record<string, string>>
  /** Texts of errors that are others in the query protocol. */
  readonly queryTexts?: Readonly<Record<string, string>>
  /** Shapes whose pattern the service checks itself, with another text. */
  readonly unpatterned?: readonly string[]
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
  unchecked: [
    'CreateFunctionRequest.Runtime',
    'UpdateFunctionConfigurationRequest.Runtime',
    'PublishLayerVersionRequest.CompatibleRuntimes',
    'PublishLayerVersionRequest.CompatibleArchitectures',
  ],
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

export const IAM: ServiceRecipe = {
  name: 'iam',
  protocol: 'aws-query',
  signingName: 'iam',
  // As clients report it: "The specified value for roleName is invalid. ..."
  unpatterned: ['existingUserNameType', 'policyNameType', 'roleNameType', 'userNameType'],
  query: { version: '2010-05-08', namespace: 'https://iam.amazonaws.com/doc/2010-05-08/' },
  // Recorded from AWS in 2026; older answers had the value.
  validation: { error: 'ValidationError', quotesValues: false, elementsNotNull: true },
  errors: [
    'ConcurrentModificationException',
    'DeleteConflictException',
    'EntityAlreadyExistsException',
    'InvalidInputException',
    'LimitExceededException',
    'MalformedPolicyDocumentException',
    'NoSuchEntityException',
    'PolicyNotAttachableException',
    'ServiceFailureException',
    'UnmodifiableEntityException',
  ],
  operations: [
    'AttachRolePolicy',
    'AttachUserPolicy',
    'CreateAccessKey',
    'CreatePolicy',
    'CreatePolicyVersion',
    'CreateRole',
    'CreateUser',
    'DeleteAccessKey',
    'DeleteLoginProfile',
    'DeletePolicy',
    'DeletePolicyVersion',
    'DeleteRole',
    'DeleteRolePermissionsBoundary',
    'DeleteRolePolicy',
    'DeleteUser',
    'DeleteUserPermissionsBoundary',
    'DeleteUserPolicy',
    'DetachRolePolicy',
    'DetachUserPolicy',
    'GetAccessKeyLastUsed',
    'GetLoginProfile',
    'GetPolicy',
    'GetPolicyVersion',
    'GetRole',
    'GetRolePolicy',
    'GetUser',
    'GetUserPolicy',
    'ListAccessKeys',
    'ListAccountAliases',
    'ListAttachedRolePolicies',
    'ListAttachedUserPolicies',
    'ListEntitiesForPolicy',
    'ListGroupsForUser',
    'ListInstanceProfilesForRole',
    'ListMFADevices',
    'ListPolicies',
    'ListPolicyTags',
    'ListPolicyVersions',
    'ListRolePolicies',
    'ListRoleTags',
    'ListRoles',
    'ListSSHPublicKeys',
    'ListServiceSpecificCredentials',
    'ListSigningCertificates',
    'ListUserPolicies',
    'ListUserTags',
    'ListUsers',
    'ListVirtualMFADevices',
    'PutRolePermissionsBoundary',
    'PutRolePolicy',
    'PutUserPermissionsBoundary',
    'PutUserPolicy',
    'SetDefaultPolicyVersion',
    'TagPolicy',
    'TagRole',
    'TagUser',
    'UntagPolicy',
    'UntagRole',
    'UntagUser',
    'UpdateAccessKey',
    'UpdateAssumeRolePolicy',
    'UpdateRole',
    'UpdateRoleDescription',
    'UpdateUser',
  ],
}

export const STS: ServiceRecipe = {
  name: 'sts',
  protocol: 'aws-query',
  signingName: 'sts',
  query: { version: '2011-06-15', namespace: 'https://sts.amazonaws.com/doc/2011-06-15/' },
  // Recorded from AWS.
  validation: { error: 'ValidationError', quotesValues: true, elementsNotNull: true },
  errors: ['MalformedPolicyDocumentException', 'PackedPolicyTooLargeException'],
  operations: ['AssumeRole', 'GetAccessKeyInfo', 'GetCallerIdentity', 'GetSessionToken'],
}

export const KMS: ServiceRecipe = {
  name: 'kms',
  protocol: 'aws-json-1.1',
  signingName: 'kms',
  targetPrefix: 'TrentService',
  // The name and the texts as clients report them.
  validation: { error: 'ValidationException', quotesValues: true, elementsNotNull: false },
  errors: [
    'AlreadyExistsException',
    'DisabledException',
    'IncorrectKeyException',
    'InvalidAliasNameException',
    'InvalidArnException',
    'InvalidCiphertextException',
    'InvalidKeyUsageException',
    'InvalidMarkerException',
    'KMSInternalException',
    'KMSInvalidStateException',
    'LimitExceededException',
    'MalformedPolicyDocumentException',
    'NotFoundException',
    'TagException',
    'UnsupportedOperationException',
  ],
  operations: [
    'CancelKeyDeletion',
    'CreateAlias',
    'CreateKey',
    'Decrypt',
    'DeleteAlias',
    'DescribeKey',
    'DisableKey',
    'DisableKeyRotation',
    'EnableKey',
    'EnableKeyRotation',
    'Encrypt',
    'GenerateDataKey',
    'GenerateDataKeyWithoutPlaintext',
    'GenerateRandom',
    'GetKeyPolicy',
    'GetKeyRotationStatus',
    'ListAliases',
    'ListKeyPolicies',
    'ListKeys',
    'ListResourceTags',
    'PutKeyPolicy',
    'ReEncrypt',
    'ScheduleKeyDeletion',
    'TagResource',
    'UntagResource',
    'UpdateAlias',
    'UpdateKeyDescription',
  ],
}

export const SIGNER: ServiceRecipe = {
  name: 'signer',
  protocol: 'rest-json',
  signingName: 'signer',
  // Unverified: the form is that of AWS's other services.
  validation: { error: 'ValidationException', quotesValues: true, elementsNotNull: false },
  operations: [
    'CancelSigningProfile',
    'DescribeSigningJob',
    'GetRevocationStatus',
    'GetSigningPlatform',
    'GetSigningProfile',
    'ListSigningJobs',
    'ListSigningPlatforms',
    'ListSigningProfiles',
    'ListTagsForResource',
    'PutSigningProfile',
    'RevokeSignature',
    'RevokeSigningProfile',
    'StartSigningJob',
    'TagResource',
    'UntagResource',
  ],
}

export const SNS: ServiceRecipe = {
  name: 'sns',
  protocol: 'aws-query',
  signingName: 'sns',
  query: { version: '2010-03-31', namespace: 'http://sns.amazonaws.com/doc/2010-03-31/' },
  // Recorded from AWS.
  validation: { error: 'ValidationError', quotesValues: true, elementsNotNull: false },
}

export const SQS: ServiceRecipe = {
  name: 'sqs',
  protocol: 'aws-json-1.0',
  signingName: 'sqs',
  targetPrefix: 'AmazonSQS',
  errorNamespace: 'com.amazonaws.sqs',
  query: {
    version: '2012-11-05',
    namespace: 'http://queue.amazonaws.com/doc/2012-11-05/',
    pathMember: 'QueueUrl',
  },
  // Recorded from AWS. Values are checked by the operations: SQS has a text of its own for each.
  validation: {
    error: 'InvalidParameterValueException',
    quotesValues: false,
    elementsNotNull: false,
    missing: 'MissingRequiredParameterException',
  },
  // Recorded from AWS.
  queryTexts: { QueueDoesNotExist: 'The specified queue does not exist for this wsdl version.' },
  commonErrors: {
    InvalidParameterValueException: 'InvalidParameterValue',
    MissingRequiredParameterException: 'MissingParameter',
  },
}

/** Layers go through /v2/, as every client's do; the operations that send them one by one are left out. */
export const ECR: ServiceRecipe = {
  name: 'ecr',
  protocol: 'aws-json-1.1',
  signingName: 'ecr',
  targetPrefix: 'AmazonEC2ContainerRegistry_V20150921',
  // The name as clients report it; the form of the texts unverified.
  validation: { error: 'InvalidParameterException', quotesValues: true, elementsNotNull: false },
  // As clients report it: "Invalid parameter at 'repositoryName' failed to satisfy constraint: ..."
  unpatterned: ['RepositoryName', 'LayerDigest'],
  errors: [
    'ImageAlreadyExistsException',
    'ImageDigestDoesNotMatchException',
    'ImageNotFoundException',
    'ImageTagAlreadyExistsException',
    'InvalidParameterException',
    'InvalidTagParameterException',
    'LayersNotFoundException',
    'LifecyclePolicyNotFoundException',
    'ReferencedImagesNotFoundException',
    'RepositoryAlreadyExistsException',
    'RepositoryNotEmptyException',
    'RepositoryNotFoundException',
    'RepositoryPolicyNotFoundException',
    'ServerException',
    'TooManyTagsException',
  ],
  operations: [
    'BatchCheckLayerAvailability',
    'BatchDeleteImage',
    'BatchGetImage',
    'CreateRepository',
    'DeleteLifecyclePolicy',
    'DeleteRepository',
    'DeleteRepositoryPolicy',
    'DescribeImages',
    'DescribeRepositories',
    'GetAuthorizationToken',
    'GetLifecyclePolicy',
    'GetRepositoryPolicy',
    'ListImages',
    'ListTagsForResource',
    'PutImage',
    'PutImageScanningConfiguration',
    'PutImageTagMutability',
    'PutLifecyclePolicy',
    'SetRepositoryPolicy',
    'TagResource',
    'UntagResource',
  ],
}

export const EVENTS: ServiceRecipe = {
  name: 'events',
  protocol: 'aws-json-1.1',
  signingName: 'events',
  targetPrefix: 'AWSEvents',
  // Recorded from AWS.
  validation: { error: 'ValidationException', quotesValues: true, elementsNotNull: false },
  errors: [
    'ConcurrentModificationException',
    'IllegalStatusException',
    'InternalException',
    'InvalidEventPatternException',
    'InvalidStateException',
    'LimitExceededException',
    'ManagedRuleException',
    'OperationDisabledException',
    'PolicyLengthExceededException',
    'ResourceAlreadyExistsException',
    'ResourceNotFoundException',
  ],
  operations: [
    'CancelReplay',
    'CreateArchive',
    'CreateEventBus',
    'DeleteArchive',
    'DeleteEventBus',
    'DeleteRule',
    'DescribeArchive',
    'DescribeEventBus',
    'DescribeReplay',
    'DescribeRule',
    'DisableRule',
    'EnableRule',
    'ListArchives',
    'ListEventBuses',
    'ListReplays',
    'ListRuleNamesByTarget',
    'ListRules',
    'ListTagsForResource',
    'ListTargetsByRule',
    'PutEvents',
    'PutPermission',
    'PutRule',
    'PutTargets',
    'RemovePermission',
    'RemoveTargets',
    'StartReplay',
    'TagResource',
    'TestEventPattern',
    'UntagResource',
    'UpdateArchive',
    'UpdateEventBus',
  ],
}

export const SCHEDULER: ServiceRecipe = {
  name: 'scheduler',
  protocol: 'rest-json',
  signingName: 'scheduler',
  // As clients report it.
  validation: { error: 'ValidationException', quotesValues: true, elementsNotNull: false },
}
