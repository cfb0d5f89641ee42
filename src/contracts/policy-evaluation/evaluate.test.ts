import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  OWN,
  OTHER,
  RESOURCE,
  USER,
  ROLE_ARN,
  SESSION,
  ROOT,
  STRANGER,
  SNS,
  allow,
  deny,
  by,
  answer,
  type Case,
} from '../../../test/support/policies.ts'

const CASES: readonly (readonly [string, Case, string])[] = [
  ['nothing allows anything by itself', {}, 'implicit identity-based'],
  ['an identity policy allows', { identity: [allow()] }, 'allowed'],
  [
    'another action stays forbidden',
    { identity: [allow({ Action: 'lambda:GetFunction' })] },
    'implicit identity-based',
  ],
  ['actions have wildcards', { identity: [allow({ Action: 'lambda:Invoke*' })] }, 'allowed'],
  ['actions have single wildcards', { identity: [allow({ Action: 'lambda:InvokeFunctio?' })] }, 'allowed'],
  [
    'actions are compared without case',
    { identity: [allow({ Action: 'LAMBDA:invokefunction' })] },
    'allowed',
  ],
  ['every action of every service', { identity: [allow({ Action: '*' })] }, 'allowed'],
  ['one of several actions', { identity: [allow({ Action: ['s3:*', 'lambda:*'] })] }, 'allowed'],
  ['NotAction allows all others', { identity: [allow({ Action: undefined, NotAction: 's3:*' })] }, 'allowed'],
  [
    'NotAction leaves out what it names',
    { identity: [allow({ Action: undefined, NotAction: 'lambda:*' })] },
    'implicit identity-based',
  ],
  ['the resource itself', { identity: [allow({ Resource: RESOURCE })] }, 'allowed'],
  [
    'resources are compared with case',
    { identity: [allow({ Resource: RESOURCE.replace('hello', 'Hello') })] },
    'implicit identity-based',
  ],
  [
    'a prefix of the resource is another one',
    { identity: [allow({ Resource: RESOURCE.slice(0, -1) })] },
    'implicit identity-based',
  ],
  [
    'resources have wildcards',
    { identity: [allow({ Resource: `arn:aws:lambda:*:${OWN}:function:hel*` })] },
    'allowed',
  ],
  [
    'NotResource leaves out what it names',
    { identity: [allow({ Resource: undefined, NotResource: RESOURCE })] },
    'implicit identity-based',
  ],
  [
    'NotResource allows all others',
    { identity: [allow({ Resource: undefined, NotResource: 'arn:aws:s3:::*' })] },
    'allowed',
  ],
  [
    'resources name keys of the request',
    { identity: [allow({ Resource: '*:function:${aws:username}' })], keys: { 'aws:username': ['hello'] } },
    'allowed',
  ],
  ['a deny wins over an allow', { identity: [allow(), deny()] }, 'explicit identity-based'],
  ['a deny of something else does not', { identity: [allow(), deny({ Action: 's3:*' })] }, 'allowed'],
  [
    'a deny whose condition does not hold does not',
    {
      identity: [allow(), deny({ Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
      keys: { 'aws:securetransport': ['true'] },
    },
    'allowed',
  ],
  [
    'all conditions must hold',
    {
      identity: [allow({ Condition: { StringEquals: { a: '1' }, StringLike: { b: '2*' } } })],
      keys: { a: ['1'], b: ['3'] },
    },
    'implicit identity-based',
  ],

  ['a resource policy that names the user is enough', { resource: [by({ AWS: USER.arn })] }, 'allowed'],
  ['one that names everybody too', { resource: [by('*')] }, 'allowed'],
  ['everybody of all accounts', { resource: [by({ AWS: '*' })] }, 'allowed'],
  [
    'one that names the account leaves it to the account',
    { resource: [by({ AWS: OWN })] },
    'implicit identity-based',
  ],
  [
    'the account by its ARN',
    { resource: [by({ AWS: `arn:aws:iam::${OWN}:root` })], identity: [allow()] },
    'allowed',
  ],
  [
    'principals have no wildcards',
    { resource: [by({ AWS: `arn:aws:iam::${OWN}:user/*` })] },
    'implicit identity-based',
  ],
  [
    'one of several principals',
    { resource: [by({ AWS: [`arn:aws:iam::${OWN}:user/bob`, USER.arn] })] },
    'allowed',
  ],
  [
    'a deny of the resource wins',
    { identity: [allow()], resource: [deny({ Principal: '*' })] },
    'explicit resource-based',
  ],
  [
    'a deny of the account is meant for all of it',
    { identity: [allow()], resource: [deny({ Principal: { AWS: OWN } })] },
    'explicit resource-based',
  ],
  [
    'a deny of another user is not',
    { identity: [allow()], resource: [deny({ Principal: { AWS: `${USER.arn}x` } })] },
    'allowed',
  ],
  [
    'NotPrincipal denies all others',
    {
      identity: [allow()],
      resource: [deny({ NotPrincipal: { AWS: [`arn:aws:iam::${OWN}:user/bob`, OWN] } })],
    },
    'explicit resource-based',
  ],
  [
    'NotPrincipal spares a user named with its account',
    { identity: [allow()], resource: [deny({ NotPrincipal: { AWS: [USER.arn, OWN] } })] },
    'allowed',
  ],
  [
    'NotPrincipal without the account does not spare',
    { identity: [allow()], resource: [deny({ NotPrincipal: { AWS: USER.arn } })] },
    'explicit resource-based',
  ],
  ['the role stands for its sessions', { caller: SESSION, resource: [by({ AWS: ROLE_ARN })] }, 'allowed'],
  ['the session itself', { caller: SESSION, resource: [by({ AWS: SESSION.arn })] }, 'allowed'],
  [
    'another session of the role',
    { caller: SESSION, resource: [by({ AWS: `arn:aws:sts::${OWN}:assumed-role/acting/other` })] },
    'implicit identity-based',
  ],
  ['service principals need the resource policy', { caller: SNS }, 'implicit resource-based'],
  ['and have it', { caller: SNS, resource: [by({ Service: 'sns.amazonaws.com' })] }, 'allowed'],
  [
    'each only its own',
    { caller: SNS, resource: [by({ Service: 's3.amazonaws.com' })] },
    'implicit resource-based',
  ],
  [
    'with the source that is named',
    {
      caller: SNS,
      resource: [
        by(
          { Service: 'sns.amazonaws.com' },
          {
            Condition: {
              ArnLike: { 'AWS:SourceArn': 'arn:aws:sns:*:*:topic' },
              StringEquals: { 'AWS:SourceAccount': OWN },
            },
          },
        ),
      ],
      keys: { 'aws:sourcearn': [`arn:aws:sns:us-east-1:${OWN}:topic`], 'aws:sourceaccount': [OWN] },
    },
    'allowed',
  ],
  [
    'not with another source',
    {
      caller: SNS,
      resource: [
        by({ Service: 'sns.amazonaws.com' }, { Condition: { StringEquals: { 'AWS:SourceAccount': OWN } } }),
      ],
      keys: { 'aws:sourceaccount': [OTHER] },
    },
    'implicit resource-based',
  ],
  [
    'nobody in particular comes in where everybody may',
    { caller: { kind: 'anonymous' }, resource: [by('*')] },
    'allowed',
  ],
  [
    'and nowhere else',
    { caller: { kind: 'anonymous' }, resource: [by({ AWS: OWN })] },
    'implicit resource-based',
  ],

  ['the owner needs no policy', { caller: ROOT }, 'allowed'],
  ['the owner is not limited by boundaries', { caller: ROOT, boundary: [] }, 'allowed'],
  [
    'a resource policy may deny even the owner',
    { caller: ROOT, resource: [deny({ Principal: '*' })] },
    'explicit resource-based',
  ],

  [
    'another account needs the resource policy',
    { caller: STRANGER, identity: [allow()] },
    'implicit resource-based',
  ],
  ['and its own', { caller: STRANGER, resource: [by({ AWS: STRANGER.arn })] }, 'implicit identity-based'],
  [
    'with both it comes in',
    { caller: STRANGER, identity: [allow()], resource: [by({ AWS: OTHER })] },
    'allowed',
  ],
  [
    'also named itself',
    { caller: STRANGER, identity: [allow()], resource: [by({ AWS: STRANGER.arn })] },
    'allowed',
  ],
  [
    'not when its boundary says nothing',
    { caller: STRANGER, identity: [allow()], resource: [by({ AWS: STRANGER.arn })], boundary: [] },
    'implicit boundary',
  ],
  [
    'the owner of another account is a stranger',
    { caller: { ...ROOT, account: OTHER } },
    'implicit resource-based',
  ],

  ['a boundary limits', { identity: [allow()], boundary: [allow({ Action: 's3:*' })] }, 'implicit boundary'],
  ['a boundary grants nothing', { boundary: [allow()] }, 'implicit identity-based'],
  ['boundary and identity together allow', { identity: [allow()], boundary: [allow()] }, 'allowed'],
  ['a boundary denies', { identity: [allow()], boundary: [allow(), deny()] }, 'explicit boundary'],
  [
    'a resource policy that names the user goes past the boundary',
    { resource: [by({ AWS: USER.arn })], boundary: [allow({ Action: 's3:*' })] },
    'allowed',
  ],
  [
    'one that names the role does not',
    { caller: SESSION, resource: [by({ AWS: ROLE_ARN })], boundary: [allow({ Action: 's3:*' })] },
    'implicit boundary',
  ],
  [
    'one that names the session does',
    { caller: SESSION, resource: [by({ AWS: SESSION.arn })], boundary: [], session: [] },
    'allowed',
  ],
  [
    'a session policy limits',
    { caller: SESSION, identity: [allow()], session: [allow({ Action: 's3:*' })] },
    'implicit session',
  ],
  ['a session policy grants nothing', { caller: SESSION, session: [allow()] }, 'implicit identity-based'],
  [
    'session and identity together allow',
    { caller: SESSION, identity: [allow()], session: [allow()] },
    'allowed',
  ],
  [
    'a session policy denies',
    { caller: SESSION, identity: [allow()], session: [allow(), deny()] },
    'explicit session',
  ],
  [
    'a session policy limits what the resource gives to the role',
    { caller: SESSION, resource: [by({ AWS: ROLE_ARN })], session: [] },
    'implicit session',
  ],
  [
    'a trust policy has the last word',
    { identity: [allow()], resourceMustAllow: true },
    'implicit resource-based',
  ],
  [
    'a trust policy of the account is enough with an identity policy',
    { identity: [allow()], resource: [by({ AWS: OWN }, { Resource: undefined })], resourceMustAllow: true },
    'allowed',
  ],

  [
    'an allow that is not understood allows nothing',
    { identity: [allow({ Condition: { Strange: { a: 'b' } } })] },
    'implicit identity-based',
  ],
  [
    'a deny that is not understood denies',
    { identity: [allow(), deny({ Condition: { Strange: { a: 'b' } } })] },
    'explicit identity-based',
  ],
  ['a resource policy that names nobody allows nobody', { resource: [allow()] }, 'implicit identity-based'],
  [
    'a resource policy that denies without a name denies all',
    { identity: [allow()], resource: [deny()] },
    'explicit resource-based',
  ],
  [
    'Action and NotAction together are nothing',
    { identity: [allow({ NotAction: 's3:*' })] },
    'implicit identity-based',
  ],
  [
    'prototypes are no members',
    { identity: [JSON.parse('{"__proto__":{"Effect":"Allow","Action":"*","Resource":"*"}}')] },
    'implicit identity-based',
  ],
]

for (const [name, given, expected] of CASES) {
  test(`policies: ${name}`, () => assert.equal(answer(given), expected))
}
