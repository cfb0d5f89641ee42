import assert from 'node:assert/strict'
import { test } from 'node:test'

import { iamModel } from '#wire/models/iam.ts'
import { kmsModel } from '#wire/models/kms.ts'
import { lambdaModel } from '#wire/models/lambda.ts'
import { logsModel } from '#wire/models/logs.ts'
import { ecrModel } from '#wire/models/ecr.ts'
import { eventsModel } from '#wire/models/events.ts'
import { schedulerModel } from '#wire/models/scheduler.ts'
import { snsModel } from '#wire/models/sns.ts'
import { sqsModel } from '#wire/models/sqs.ts'
import { stsModel } from '#wire/models/sts.ts'

import { iamNeeds, stsNeeds } from './iam.ts'
import { kmsNeeds } from './kms.ts'
import { lambdaNeeds } from './lambda.ts'
import { logsNeeds } from './logs.ts'
import type { Asking, Members } from './need.ts'
import { ecrNeeds } from './ecr.ts'
import { eventsNeeds } from './events.ts'
import { schedulerNeeds } from './scheduler.ts'
import { snsNeeds } from './sns.ts'
import { sqsNeeds } from './sqs.ts'

const ASKING: Asking = {
  account: '123456789012',
  region: 'eu-west-1',
  arn: 'arn:aws:iam::123456789012:user/team/ada',
}
const LAMBDA = 'arn:aws:lambda:eu-west-1:123456789012'
const LOGS = 'arn:aws:logs:eu-west-1:123456789012:log-group:'
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:orders'
const QUEUE = 'arn:aws:sqs:eu-west-1:123456789012:q'
const OTHERS_QUEUE = 'arn:aws:sqs:eu-west-1:111122223333:q'
const ROLE = 'arn:aws:iam::123456789012:role/x'
const EVENTS = 'arn:aws:events:eu-west-1:123456789012'
const BUSES = `${EVENTS}:event-bus`
const OTHERS_BUS = 'arn:aws:events:eu-west-1:111122223333:event-bus/b'
const SCHEDULES = 'arn:aws:scheduler:eu-west-1:123456789012:schedule'

for (const [model, table] of [
  [lambdaModel, lambdaNeeds],
  [logsModel, logsNeeds],
  [iamModel, iamNeeds],
  [stsModel, stsNeeds],
  [kmsModel, kmsNeeds],
  [snsModel, snsNeeds],
  [sqsModel, sqsNeeds],
  [ecrModel, ecrNeeds],
  [eventsModel, eventsNeeds],
  [schedulerModel, schedulerNeeds],
] as const) {
  test(`needs: every operation of ${model.name} has an entry that bears an empty input`, () => {
    for (const operation of Object.keys(model.operations)) {
      const needs = table[operation]
      assert.ok(needs, operation)
      for (const { action, resource } of needs({}, ASKING)) {
        assert.match(action, /^(?:lambda|logs|iam|sts|kms|ecr|sqs|SNS|events|scheduler):[A-Za-z]+$/)
        assert.match(resource, /^(?:\*$|arn:)/)
      }
    }
  })
}

const TABLES = {
  lambda: lambdaNeeds,
  logs: logsNeeds,
  iam: iamNeeds,
  sts: stsNeeds,
  kms: kmsNeeds,
  sns: snsNeeds,
  sqs: sqsNeeds,
  ecr: ecrNeeds,
  events: eventsNeeds,
  scheduler: schedulerNeeds,
}

/** Service, operation, input, and what is needed: action and resource alternate. */
const CASES: readonly (readonly [keyof typeof TABLES, string, Members, readonly string[]])[] = [
  ['lambda', 'Invoke', { FunctionName: 'f' }, ['lambda:InvokeFunction', `${LAMBDA}:function:f`]],
  ['lambda', 'Invoke', { FunctionName: 'f:live' }, ['lambda:InvokeFunction', `${LAMBDA}:function:f:live`]],
  [
    'lambda',
    'InvokeWithResponseStream',
    { FunctionName: 'f', Qualifier: '$LATEST' },
    ['lambda:InvokeFunction', `${LAMBDA}:function:f:$LATEST`],
  ],
  [
    'lambda',
    'InvokeAsync',
    { FunctionName: '999999999999:function:f' },
    ['lambda:InvokeFunction', 'arn:aws:lambda:eu-west-1:999999999999:function:f'],
  ],
  [
    'sqs',
    'SendMessageBatch',
    { QueueUrl: 'http://h:4566/111122223333/q' },
    ['sqs:sendmessage', OTHERS_QUEUE],
  ],
  [
    'sqs',
    'GetQueueUrl',
    { QueueName: 'q', QueueOwnerAWSAccountId: '111122223333' },
    ['sqs:getqueueurl', OTHERS_QUEUE],
  ],
  [
    'sqs',
    'CreateQueue',
    { QueueName: 'q', tags: { a: 'b' } },
    ['sqs:createqueue', QUEUE, 'sqs:tagqueue', QUEUE],
  ],
  ['sqs', 'ListQueues', {}, ['sqs:listqueues', '*']],
  [
    'events',
    'PutEvents',
    {
      Entries: [
        { Source: 'a' },
        { EventBusName: 'b' },
        { EventBusName: `${BUSES}/b` },
        { EventBusName: OTHERS_BUS },
      ],
    },
    [
      'events:PutEvents',
      `${BUSES}/default`,
      'events:PutEvents',
      `${BUSES}/b`,
      'events:PutEvents',
      OTHERS_BUS,
    ],
  ],
  ['events', 'PutRule', { Name: 'r' }, ['events:PutRule', `${EVENTS}:rule/r`]],
  [
    'events',
    'PutTargets',
    { Rule: 'r', EventBusName: 'b', Targets: [{ Id: '1', RoleArn: ROLE }] },
    ['events:PutTargets', `${EVENTS}:rule/b/r`, 'iam:PassRole', ROLE],
  ],
  ['events', 'DescribeEventBus', {}, ['events:DescribeEventBus', `${BUSES}/default`]],
  ['events', 'ListRules', {}, ['events:ListRules', '*']],
  [
    'events',
    'StartReplay',
    { EventSourceArn: `${EVENTS}:archive/a` },
    ['events:StartReplay', `${EVENTS}:archive/a`],
  ],
  ['events', 'TagResource', { ResourceARN: `${EVENTS}:rule/r` }, ['events:TagResource', `${EVENTS}:rule/r`]],
  [
    'scheduler',
    'CreateSchedule',
    { Name: 's', Target: { RoleArn: ROLE } },
    ['scheduler:CreateSchedule', `${SCHEDULES}/default/s`, 'iam:PassRole', ROLE],
  ],
  [
    'scheduler',
    'DeleteScheduleGroup',
    { Name: 'g' },
    ['scheduler:DeleteScheduleGroup', `${SCHEDULES}-group/g`],
  ],
  [
    'sqs',
    'StartMessageMoveTask',
    { SourceArn: QUEUE, DestinationArn: OTHERS_QUEUE },
    [
      'sqs:startmessagemovetask',
      QUEUE,
      'sqs:receivemessage',
      QUEUE,
      'sqs:deletemessage',
      QUEUE,
      'sqs:getqueueattributes',
      QUEUE,
      'sqs:sendmessage',
      OTHERS_QUEUE,
    ],
  ],
  [
    'ecr',
    'PutImage',
    { repositoryName: 'team/app', registryId: '999999999999' },
    ['ecr:PutImage', 'arn:aws:ecr:eu-west-1:999999999999:repository/team/app'],
  ],
  [
    'ecr',
    'DescribeRepositories',
    {},
    ['ecr:DescribeRepositories', 'arn:aws:ecr:eu-west-1:123456789012:repository/*'],
  ],
  ['sns', 'PublishBatch', { TopicArn: TOPIC }, ['SNS:Publish', TOPIC]],
  ['sns', 'Publish', { TargetArn: TOPIC }, ['SNS:Publish', TOPIC]],
  ['sns', 'CreateTopic', { Name: 'orders' }, ['SNS:CreateTopic', TOPIC]],
  [
    'sns',
    'CreateTopic',
    { Name: 'orders', Tags: [{ Key: 'a', Value: 'b' }] },
    ['SNS:CreateTopic', TOPIC, 'SNS:TagResource', TOPIC],
  ],
  ['sns', 'Unsubscribe', { SubscriptionArn: `${TOPIC}:id` }, ['SNS:Unsubscribe', '*']],
  ['lambda', 'ListFunctions', {}, ['lambda:ListFunctions', '*']],
  ['lambda', 'GetAlias', { FunctionName: 'f', Name: 'live' }, ['lambda:GetAlias', `${LAMBDA}:function:f`]],
  [
    'lambda',
    'GetFunction',
    { FunctionName: 'f', Qualifier: '1' },
    ['lambda:GetFunction', `${LAMBDA}:function:f:1`],
  ],
  [
    'lambda',
    'CreateFunction',
    { FunctionName: 'f', Role: ROLE, Layers: [`${LAMBDA}:layer:l:3`], Tags: { a: 'b' } },
    [
      'lambda:CreateFunction',
      `${LAMBDA}:function:f`,
      'iam:PassRole',
      ROLE,
      'lambda:GetLayerVersion',
      `${LAMBDA}:layer:l:3`,
      'lambda:TagResource',
      `${LAMBDA}:function:f`,
    ],
  ],
  [
    'lambda',
    'GetLayerVersion',
    { LayerName: 'arn:aws:lambda:eu-west-1:999999999999:layer:l', VersionNumber: 2 },
    ['lambda:GetLayerVersion', 'arn:aws:lambda:eu-west-1:999999999999:layer:l:2'],
  ],
  [
    'lambda',
    'GetLayerVersionByArn',
    { Arn: `${LAMBDA}:layer:l:2` },
    ['lambda:GetLayerVersion', `${LAMBDA}:layer:l:2`],
  ],
  ['lambda', 'PublishLayerVersion', { LayerName: 'l' }, ['lambda:PublishLayerVersion', `${LAMBDA}:layer:l`]],
  ['lambda', 'CreateEventSourceMapping', { FunctionName: 'f' }, ['lambda:CreateEventSourceMapping', '*']],
  [
    'lambda',
    'DeleteEventSourceMapping',
    { UUID: 'u' },
    ['lambda:DeleteEventSourceMapping', `${LAMBDA}:event-source-mapping:u`],
  ],
  [
    'lambda',
    'UpdateEventSourceMapping',
    { UUID: 'u', FunctionName: 'f' },
    [
      'lambda:UpdateEventSourceMapping',
      `${LAMBDA}:event-source-mapping:u`,
      'lambda:UpdateEventSourceMapping',
      `${LAMBDA}:event-source-mapping:u`,
    ],
  ],
  ['lambda', 'ListEventSourceMappings', {}, ['lambda:ListEventSourceMappings', '*']],
  ['lambda', 'ListTags', { Resource: `${LAMBDA}:function:f` }, ['lambda:ListTags', `${LAMBDA}:function:f`]],
  [
    'logs',
    'PutLogEvents',
    { logGroupName: '/aws/lambda/f', logStreamName: 's' },
    ['logs:PutLogEvents', `${LOGS}/aws/lambda/f:log-stream:s`],
  ],
  ['logs', 'DescribeLogGroups', {}, ['logs:DescribeLogGroups', `${LOGS}:log-stream:`]],
  ['logs', 'FilterLogEvents', { logGroupName: 'g' }, ['logs:FilterLogEvents', `${LOGS}g:log-stream:`]],
  ['iam', 'GetUser', {}, ['iam:GetUser', 'arn:aws:iam::123456789012:user/ada']],
  [
    'iam',
    'CreateUser',
    { UserName: 'bob', Path: '/a/' },
    ['iam:CreateUser', 'arn:aws:iam::123456789012:user/a/bob'],
  ],
  [
    'iam',
    'PutRolePolicy',
    { RoleName: 'r', PolicyName: 'p' },
    ['iam:PutRolePolicy', 'arn:aws:iam::123456789012:role/r'],
  ],
  ['sts', 'GetCallerIdentity', {}, []],
  ['sts', 'AssumeRole', { RoleArn: ROLE }, ['sts:AssumeRole', ROLE]],
  ['kms', 'Decrypt', { KeyId: 'k' }, ['kms:Decrypt', 'arn:aws:kms:eu-west-1:123456789012:key/k']],
  ['kms', 'CreateKey', {}, ['kms:CreateKey', '*']],
]

for (const [service, operation, input, expected] of CASES) {
  test(`needs: ${operation} ${JSON.stringify(input)}`, () => {
    const needs = TABLES[service][operation]?.(input, ASKING) ?? []
    assert.deepEqual(
      needs.flatMap(({ action, resource }) => [action, resource]),
      expected,
    )
  })
}

test('needs: what conditions may ask of a request', () => {
  const keysOf = (operation: string, input: Members) => lambdaNeeds[operation]?.(input, ASKING)[0]?.keys
  assert.deepEqual(
    keysOf('CreateFunction', {
      FunctionName: 'f',
      Layers: ['l1', 'l2'],
      VpcConfig: { SubnetIds: ['s'], SecurityGroupIds: ['g'] },
      CodeSigningConfigArn: 'c',
      Tags: { Team: 'blue' },
    }),
    {
      'lambda:layer': ['l1', 'l2'],
      'lambda:subnetids': ['s'],
      'lambda:securitygroupids': ['g'],
      'lambda:codesigningconfigarn': ['c'],
      'aws:requesttag/team': ['blue'],
      'aws:tagkeys': ['Team'],
    },
  )
  assert.deepEqual(keysOf('AddPermission', { FunctionName: 'f', Principal: 's3.amazonaws.com' }), {
    'lambda:principal': ['s3.amazonaws.com'],
  })
  assert.deepEqual(keysOf('CreateFunctionUrlConfig', { FunctionName: 'f', AuthType: 'NONE' }), {
    'lambda:functionurlauthtype': ['NONE'],
    'lambda:functionarn': [`${LAMBDA}:function:f`],
  })
  assert.deepEqual(keysOf('CreateEventSourceMapping', { FunctionName: 'f' }), {
    'lambda:functionarn': [`${LAMBDA}:function:f`],
  })
})
