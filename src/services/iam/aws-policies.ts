/**
 * AWS's own managed policies that users of Lambda attach. Versions, dates and documents as AWS publishes them (read
 * from a public archive of them); the ids are made up, and the dates of a policy's creation are those of its version.
 */
import { AWS_POLICY_PREFIX, type ManagedPolicy } from '#contracts/iam.ts'

interface Published {
  readonly path: string
  readonly version: string
  readonly at: string
  readonly description: string
  readonly statements: readonly object[]
}

const LOGS = ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents']
const SERVICE_ROLE = '/service-role/'
const allow = (Action: readonly string[], Resource: string | readonly string[] = '*') => ({
  Effect: 'Allow',
  Action,
  Resource,
})
const SHOWN_IN_CONSOLE = ['ec2:DescribeSecurityGroups', 'ec2:DescribeSubnets', 'ec2:DescribeVpcs']
const READ_ROLES = [
  'iam:GetPolicy',
  'iam:GetPolicyVersion',
  'iam:GetRole',
  'iam:GetRolePolicy',
  'iam:ListAttachedRolePolicies',
  'iam:ListRolePolicies',
  'iam:ListRoles',
]
const LAMBDA_LOGS = 'arn:aws:logs:*:*:log-group:/aws/lambda/*'
const ON_BEHALF = 'lambda.amazonaws.com'

const PUBLISHED: Readonly<Record<string, Published>> = {
  AWSLambdaBasicExecutionRole: {
    path: SERVICE_ROLE,
    version: 'v1',
    at: '2015-04-09T15:03:43Z',
    description: 'Provides write permissions to CloudWatch Logs.',
    statements: [allow(LOGS)],
  },
  AWSLambdaDynamoDBExecutionRole: {
    path: SERVICE_ROLE,
    version: 'v1',
    at: '2015-04-09T15:09:29Z',
    description:
      'Provides list and read access to DynamoDB streams and write permissions to CloudWatch logs.',
    statements: [
      allow([
        'dynamodb:DescribeStream',
        'dynamodb:GetRecords',
        'dynamodb:GetShardIterator',
        'dynamodb:ListStreams',
        ...LOGS,
      ]),
    ],
  },
  AWSLambdaKinesisExecutionRole: {
    path: SERVICE_ROLE,
    version: 'v2',
    at: '2018-11-19T20:09:24Z',
    description: 'Provides list and read access to Kinesis streams and write permissions to CloudWatch logs.',
    statements: [
      allow([
        'kinesis:DescribeStream',
        'kinesis:DescribeStreamSummary',
        'kinesis:GetRecords',
        'kinesis:GetShardIterator',
        'kinesis:ListShards',
        'kinesis:ListStreams',
        'kinesis:SubscribeToShard',
        ...LOGS,
      ]),
    ],
  },
  AWSLambdaMSKExecutionRole: {
    path: SERVICE_ROLE,
    version: 'v2',
    at: '2022-08-02T20:08:02Z',
    description:
      'Provides permissions required to access MSK Cluster within a VPC, manage ENIs (create, describe, delete) in the VPC and write permissions to CloudWatch Logs.',
    statements: [
      allow([
        'kafka:DescribeCluster',
        'kafka:DescribeClusterV2',
        'kafka:GetBootstrapBrokers',
        'ec2:CreateNetworkInterface',
        'ec2:DescribeNetworkInterfaces',
        'ec2:DescribeVpcs',
        'ec2:DeleteNetworkInterface',
        'ec2:DescribeSubnets',
        'ec2:DescribeSecurityGroups',
        ...LOGS,
      ]),
    ],
  },
  AWSLambdaRole: {
    path: SERVICE_ROLE,
    version: 'v1',
    at: '2015-02-06T18:41:28Z',
    description: 'Default policy for AWS Lambda service role.',
    statements: [allow(['lambda:InvokeFunction'], ['*'])],
  },
  AWSLambdaSQSQueueExecutionRole: {
    path: SERVICE_ROLE,
    version: 'v1',
    at: '2018-06-14T21:50:45Z',
    description:
      'Provides receive message, delete message, and read attribute access to SQS queues, and write permissions to CloudWatch logs.',
    statements: [allow(['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', ...LOGS])],
  },
  AWSLambdaVPCAccessExecutionRole: {
    path: SERVICE_ROLE,
    version: 'v3',
    at: '2024-01-05T22:38:26Z',
    description:
      'Provides minimum permissions for a Lambda function to execute while accessing a resource within a VPC - create, describe, delete network interfaces and write permissions to CloudWatch Logs.',
    statements: [
      {
        Sid: 'AWSLambdaVPCAccessExecutionPermissions',
        ...allow([
          ...LOGS,
          'ec2:CreateNetworkInterface',
          'ec2:DescribeNetworkInterfaces',
          'ec2:DescribeSubnets',
          'ec2:DeleteNetworkInterface',
          'ec2:AssignPrivateIpAddresses',
          'ec2:UnassignPrivateIpAddresses',
        ]),
      },
    ],
  },
  AWSLambda_FullAccess: {
    path: '/',
    version: 'v5',
    at: '2026-02-11T22:18:56Z',
    description:
      'Grants full access to AWS Lambda service, AWS Lambda console features, and other related AWS services.',
    statements: [
      allow([
        'cloudformation:DescribeStacks',
        'cloudformation:ListStackResources',
        'cloudwatch:ListMetrics',
        'cloudwatch:GetMetricData',
        ...SHOWN_IN_CONSOLE,
        'kms:DescribeKey',
        'kms:ListAliases',
        ...READ_ROLES,
        'lambda:*',
        'logs:DescribeLogGroups',
        'states:DescribeStateMachine',
        'states:ListStateMachines',
        'tag:GetResources',
        'xray:GetTraceSummaries',
        'xray:BatchGetTraces',
      ]),
      {
        Effect: 'Allow',
        Action: 'iam:PassRole',
        Resource: '*',
        Condition: { StringEquals: { 'iam:PassedToService': ON_BEHALF } },
      },
      allow(
        [
          'logs:DescribeLogStreams',
          'logs:GetLogEvents',
          'logs:FilterLogEvents',
          'logs:StartLiveTail',
          'logs:StopLiveTail',
        ],
        LAMBDA_LOGS,
      ),
      {
        Effect: 'Allow',
        Action: 'iam:CreateServiceLinkedRole',
        Resource: `arn:aws:iam::*:role/aws-service-role/${ON_BEHALF}/AWSServiceRoleForLambda`,
        Condition: { StringEquals: { 'iam:AWSServiceName': ON_BEHALF } },
      },
    ],
  },
  AWSLambda_ReadOnlyAccess: {
    path: '/',
    version: 'v2',
    at: '2023-07-27T17:32:05Z',
    description:
      'Grants read-only access to AWS Lambda service, AWS Lambda console features, and other related AWS services.',
    statements: [
      allow([
        'cloudformation:DescribeStacks',
        'cloudformation:ListStacks',
        'cloudformation:ListStackResources',
        'cloudwatch:GetMetricData',
        'cloudwatch:ListMetrics',
        ...SHOWN_IN_CONSOLE,
        'kms:ListAliases',
        ...READ_ROLES,
        'logs:DescribeLogGroups',
        'lambda:Get*',
        'lambda:List*',
        'states:DescribeStateMachine',
        'states:ListStateMachines',
        'tag:GetResources',
        'xray:GetTraceSummaries',
        'xray:BatchGetTraces',
      ]),
      allow(
        [
          'logs:DescribeLogStreams',
          'logs:GetLogEvents',
          'logs:FilterLogEvents',
          'logs:StartQuery',
          'logs:StopQuery',
          'logs:DescribeQueries',
          'logs:GetLogGroupFields',
          'logs:GetLogRecord',
          'logs:GetQueryResults',
        ],
        LAMBDA_LOGS,
      ),
    ],
  },
  AWSXRayDaemonWriteAccess: {
    path: '/',
    version: 'v2',
    at: '2024-02-13T21:58:30Z',
    description:
      "Allow the AWS X-Ray Daemon to relay raw trace segments data to the service's API and retrieve sampling data (rules, targets, etc.) to be used by the X-Ray SDK.",
    statements: [
      {
        Sid: 'AWSXRayDaemonWriteAccess',
        ...allow(
          [
            'xray:PutTraceSegments',
            'xray:PutTelemetryRecords',
            'xray:GetSamplingRules',
            'xray:GetSamplingTargets',
            'xray:GetSamplingStatisticSummaries',
          ],
          ['*'],
        ),
      },
    ],
  },
}

/** By ARN. The account of each is `aws`. Only the newest version of each is here. */
export const AWS_POLICIES: ReadonlyMap<string, ManagedPolicy> = new Map(
  Object.entries(PUBLISHED).map(([name, { path, version, at, description, statements }], index) => {
    const time = Date.parse(at)
    const document = JSON.stringify({ Version: '2012-10-17', Statement: statements })
    const policy: ManagedPolicy = {
      account: 'aws',
      name,
      id: `ANPALAMBENTAWSPOLICY${'ABCDEFGHIJ'[index] ?? 'Z'}`,
      path,
      createdAt: time,
      updatedAt: time,
      description,
      tags: [],
      defaultVersion: version,
      nextVersion: Number(version.slice(1)) + 1,
      versions: [{ id: version, createdAt: time, document }],
    }
    return [`${AWS_POLICY_PREFIX}${path}${name}`, policy] as const
  }),
)
