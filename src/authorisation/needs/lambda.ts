/**
 * Actions, resources and condition keys of Lambda's operations. Source: AWS's service authorization reference, and for
 * operations that need several actions its list of actions by operation. Pure.
 */
import { functionArn, type FunctionId } from '#contracts/arn.ts'

import { keyPolicy } from './kms.ts'
import { configurationKeys, functionNeed, layerNeed, passRole } from './lambda-resources.ts'
import {
  accountOf,
  byArn,
  everything,
  keysOf,
  list,
  members,
  tagKeys,
  text,
  type Asking,
  type Members,
  type Need,
  type NeedsOf,
  type ServiceNeeds,
} from './need.ts'

type KeysOf = (input: Members, functionArn: string) => Readonly<Record<string, readonly string[]>>

/** About the function as a whole. */
const onFunction =
  (action: string, keys?: KeysOf): NeedsOf =>
  (input, asking) => {
    const need = functionNeed(`lambda:${action}`, input['FunctionName'], asking)
    return [keys ? { ...need, keys: keys(input, need.resource) } : need]
  }

/** About a version or alias when the request names one. */
const onQualified =
  (action: string, keys?: KeysOf): NeedsOf =>
  (input, asking) => {
    const qualifier = input['Qualifier']
    const need = functionNeed(`lambda:${action}`, input['FunctionName'], asking, { qualifier })
    return [keys ? { ...need, keys: keys(input, need.resource) } : need]
  }

const onLayer =
  (action: string): NeedsOf =>
  (input, asking) => [
    layerNeed(`lambda:${action}`, { name: input['LayerName'], version: input['VersionNumber'] }, asking),
  ]

const urlKeys: KeysOf = (input, arn) =>
  keysOf({ 'lambda:functionurlauthtype': text(input['AuthType']), 'lambda:functionarn': arn })

const permissionKeys: KeysOf = (input) =>
  keysOf({
    'lambda:principal': text(input['Principal']),
    'lambda:functionurlauthtype': text(input['FunctionUrlAuthType']),
  })

const capacityProvider =
  (action: string): NeedsOf =>
  (input, { account, region }) => {
    const name = text(input['CapacityProviderName']) ?? '*'
    const resource = name.startsWith('arn:')
      ? name
      : `arn:aws:lambda:${region}:${account}:capacity-provider:${name}`
    return [{ action: `lambda:${action}`, resource, account: accountOf(resource) ?? account }]
  }

const mappingArn = (input: Members, { account, region }: Asking) =>
  `arn:aws:lambda:${region}:${account}:event-source-mapping:${text(input['UUID']) ?? '*'}`

/** `lambda:FunctionArn` of the function that the request names. */
function mappingKeys(input: Members, asking: Asking) {
  const name = text(input['FunctionName'])
  const arn = name === undefined ? undefined : functionNeed('', name, asking).resource
  return keysOf({ 'lambda:functionarn': arn })
}

/**
 * About a mapping, with its own function as `lambda:FunctionArn`. A request that names another function needs the same for
 * that one too: otherwise who may map to one function could take the mappings of others.
 */
const onMapping =
  (action: string): NeedsOf =>
  (input, asking) => {
    const { account, region } = asking
    const need: Need = {
      action: `lambda:${action}`,
      resource: mappingArn(input, asking),
      account,
      mapping: { account, region, uuid: text(input['UUID']) ?? '' },
    }
    const keys = mappingKeys(input, asking)
    return Object.keys(keys).length === 0 ? [need] : [need, { ...need, keys }]
  }

const MAPPING = /^arn:[^:]+:lambda:([^:]+):(\d{12}):event-source-mapping:([0-9a-fA-F-]{36})$/

function taggedMapping(resource: string): Need['mapping'] {
  const [, region, account, uuid] = MAPPING.exec(resource) ?? []
  return region === undefined || account === undefined || uuid === undefined
    ? undefined
    : { account, region, uuid }
}

/** Tags go on functions, mappings, code signing configurations and capacity providers. */
const onTagged =
  (action: string, keys: (input: Members) => Readonly<Record<string, readonly string[]>>): NeedsOf =>
  (input, asking) => {
    const resource = text(input['Resource']) ?? '*'
    const need: Need = resource.includes(':function:')
      ? functionNeed(`lambda:${action}`, resource, asking)
      : { action: `lambda:${action}`, resource, account: accountOf(resource) ?? asking.account }
    const mapping = taggedMapping(resource)
    return [{ ...need, keys: keys(input), ...(mapping && { mapping }) }]
  }

const tagNew = (tags: unknown, need: Need): readonly Need[] => {
  const keys = tagKeys(tags)
  return Object.keys(keys).length === 0 ? [] : [{ ...need, action: 'lambda:TagResource', keys }]
}

const useLayers = (layers: unknown, asking: Asking): readonly Need[] =>
  list(layers).map((arn) => layerNeed('lambda:GetLayerVersion', { name: arn }, asking))

const useCapacityProvider = (config: unknown, { account }: Asking): readonly Need[] => {
  const instances = members(members(config)['LambdaManagedInstancesCapacityProviderConfig'])
  const resource = text(instances['CapacityProviderArn'])
  return resource === undefined
    ? []
    : [{ action: 'lambda:PassCapacityProvider', resource, account: accountOf(resource) ?? account }]
}

/**
 * Lambda grants itself the use of the key of variables, for which its caller must be allowed to make grants, and asks for a
 * data key in its caller's name to encrypt code (developer guide).
 */
const useKey = (
  action: 'kms:CreateGrant' | 'kms:GenerateDataKey',
  arn: unknown,
  { account }: Asking,
): readonly Need[] => {
  const resource = text(arn)
  if (resource === undefined) return []
  const policy = keyPolicy(resource)
  return [
    {
      action,
      resource,
      account: accountOf(resource) ?? account,
      keys: keysOf({ 'kms:calleraccount': account }),
      ...(policy && { policy }),
    },
  ]
}

const createFunction: NeedsOf = (input, asking) => {
  const keys = { ...configurationKeys(input, members(input['VpcConfig'])), ...tagKeys(input['Tags']) }
  const need = functionNeed('lambda:CreateFunction', input['FunctionName'], asking, { keys })
  return [
    need,
    ...passRole(input['Role'], asking, need.resource),
    ...useLayers(input['Layers'], asking),
    ...useCapacityProvider(input['CapacityProviderConfig'], asking),
    ...useKey('kms:CreateGrant', input['KMSKeyArn'], asking),
    ...useKey('kms:GenerateDataKey', members(input['Code'])['SourceKMSKeyArn'], asking),
    ...tagNew(input['Tags'], need),
  ]
}

const updateConfiguration: NeedsOf = (input, asking) => {
  const keys = configurationKeys(input, members(input['VpcConfig']))
  const need = functionNeed('lambda:UpdateFunctionConfiguration', input['FunctionName'], asking, { keys })
  return [
    need,
    ...passRole(input['Role'], asking, need.resource),
    ...useLayers(input['Layers'], asking),
    ...useCapacityProvider(input['CapacityProviderConfig'], asking),
    ...useKey('kms:CreateGrant', input['KMSKeyArn'], asking),
  ]
}

/** The whole-document operations also need what they stand for. */
const onResourcePolicy =
  (...actions: readonly string[]): NeedsOf =>
  (input, asking) =>
    actions.map((action) => functionNeed(`lambda:${action}`, input['ResourceArn'], asking))

const createMapping: NeedsOf = (input, asking) => {
  const keys = { ...mappingKeys(input, asking), ...tagKeys(input['Tags']) }
  const need: Need = {
    action: 'lambda:CreateEventSourceMapping',
    resource: '*',
    account: asking.account,
    keys,
  }
  return [need, ...tagNew(input['Tags'], { ...need, resource: mappingArn({}, asking) })]
}

const createCodeSigningConfig: NeedsOf = (input, asking) => {
  const need: Need = {
    action: 'lambda:CreateCodeSigningConfig',
    resource: '*',
    account: asking.account,
    keys: tagKeys(input['Tags']),
  }
  return [need, ...tagNew(input['Tags'], need)]
}

const putCodeSigning: NeedsOf = (input, asking) => {
  const config = text(input['CodeSigningConfigArn'])
  const action = 'lambda:PutFunctionCodeSigningConfig'
  const keys = keysOf({ 'lambda:codesigningconfigarn': config })
  const need = functionNeed(action, input['FunctionName'], asking, { keys })
  return config === undefined
    ? [need]
    : [need, { action, resource: config, account: accountOf(config) ?? asking.account, keys }]
}

/** The part of a durable execution's ARN that is the function version's. */
const EXECUTION = /^(arn:[^:]+:lambda:[^:]+:\d{12}:function:[^:/]+(?::[^:/]+)?)\/durable-execution\//

/** AWS names the execution; that a function's own policy applies to it as well is unverified. */
const onExecution =
  (action: string): NeedsOf =>
  (input, asking) => {
    const arn = text(input['DurableExecutionArn']) ?? '*'
    const owner = EXECUTION.exec(arn)?.[1]
    if (owner === undefined) {
      return [{ action: `lambda:${action}`, resource: arn, account: accountOf(arn) ?? asking.account }]
    }
    return [{ ...functionNeed(`lambda:${action}`, owner, asking), resource: arn }]
  }

const invoke = onQualified('InvokeFunction')

export const lambdaNeeds: ServiceNeeds = {
  // AWS checks the older operations for InvokeFunction too, as clients have reported it of InvokeAsync.
  Invoke: invoke,
  InvokeAsync: invoke,
  InvokeWithResponseStream: invoke,

  CreateFunction: createFunction,
  UpdateFunctionConfiguration: updateConfiguration,
  UpdateFunctionCode: (input, asking) => [
    functionNeed('lambda:UpdateFunctionCode', input['FunctionName'], asking),
    ...useKey('kms:GenerateDataKey', input['SourceKMSKeyArn'], asking),
  ],
  ...Object.fromEntries(
    [
      'PublishVersion',
      'ListVersionsByFunction',
      'CreateAlias',
      'UpdateAlias',
      'DeleteAlias',
      'GetAlias',
      'ListAliases',
      'PutFunctionConcurrency',
      'GetFunctionConcurrency',
      'DeleteFunctionConcurrency',
      'ListFunctionEventInvokeConfigs',
      'ListProvisionedConcurrencyConfigs',
      'PutFunctionRecursionConfig',
      'GetFunctionRecursionConfig',
      'GetFunctionCodeSigningConfig',
      'DeleteFunctionCodeSigningConfig',
      'ListFunctionUrlConfigs',
      'ListDurableExecutionsByFunction',
    ].map((action) => [action, onFunction(action)] as const),
  ),
  ...Object.fromEntries(
    [
      'GetFunction',
      'GetFunctionConfiguration',
      'DeleteFunction',
      'GetPolicy',
      'PutFunctionEventInvokeConfig',
      'UpdateFunctionEventInvokeConfig',
      'GetFunctionEventInvokeConfig',
      'DeleteFunctionEventInvokeConfig',
      'PutProvisionedConcurrencyConfig',
      'GetProvisionedConcurrencyConfig',
      'DeleteProvisionedConcurrencyConfig',
      'PutRuntimeManagementConfig',
      'GetRuntimeManagementConfig',
      'PutFunctionScalingConfig',
      'GetFunctionScalingConfig',
    ].map((action) => [action, onQualified(action)] as const),
  ),
  AddPermission: onQualified('AddPermission', permissionKeys),
  RemovePermission: onQualified('RemovePermission', permissionKeys),
  GetResourcePolicy: onResourcePolicy('GetResourcePolicy', 'GetPolicy'),
  PutResourcePolicy: onResourcePolicy('PutResourcePolicy', 'AddPermission', 'RemovePermission'),
  DeleteResourcePolicy: onResourcePolicy('DeleteResourcePolicy', 'RemovePermission'),
  PutFunctionCodeSigningConfig: putCodeSigning,

  CreateFunctionUrlConfig: onQualified('CreateFunctionUrlConfig', urlKeys),
  UpdateFunctionUrlConfig: onQualified('UpdateFunctionUrlConfig', urlKeys),
  GetFunctionUrlConfig: onQualified('GetFunctionUrlConfig', urlKeys),
  DeleteFunctionUrlConfig: onQualified('DeleteFunctionUrlConfig', urlKeys),

  ListFunctions: everything('lambda:ListFunctions'),
  GetAccountSettings: everything('lambda:GetAccountSettings'),
  ListLayers: everything('lambda:ListLayers'),
  ListCodeSigningConfigs: everything('lambda:ListCodeSigningConfigs'),
  ListCapacityProviders: everything('lambda:ListCapacityProviders'),
  ListEventSourceMappings: everything('lambda:ListEventSourceMappings'),

  PublishLayerVersion: onLayer('PublishLayerVersion'),
  ListLayerVersions: onLayer('ListLayerVersions'),
  GetLayerVersion: onLayer('GetLayerVersion'),
  GetLayerVersionByArn: (input, asking) => useLayers([input['Arn']], asking),
  DeleteLayerVersion: onLayer('DeleteLayerVersion'),
  GetLayerVersionPolicy: onLayer('GetLayerVersionPolicy'),
  AddLayerVersionPermission: onLayer('AddLayerVersionPermission'),
  RemoveLayerVersionPermission: onLayer('RemoveLayerVersionPermission'),

  CreateEventSourceMapping: createMapping,
  GetEventSourceMapping: onMapping('GetEventSourceMapping'),
  UpdateEventSourceMapping: onMapping('UpdateEventSourceMapping'),
  DeleteEventSourceMapping: onMapping('DeleteEventSourceMapping'),

  TagResource: onTagged('TagResource', ({ Tags }) => tagKeys(Tags)),
  UntagResource: onTagged('UntagResource', ({ TagKeys }) => keysOf({ 'aws:tagkeys': list(TagKeys) })),
  ListTags: onTagged('ListTags', () => ({})),

  CreateCodeSigningConfig: createCodeSigningConfig,
  GetCodeSigningConfig: byArn('lambda:GetCodeSigningConfig', 'CodeSigningConfigArn'),
  UpdateCodeSigningConfig: byArn('lambda:UpdateCodeSigningConfig', 'CodeSigningConfigArn'),
  DeleteCodeSigningConfig: byArn('lambda:DeleteCodeSigningConfig', 'CodeSigningConfigArn'),
  ListFunctionsByCodeSigningConfig: byArn('lambda:ListFunctionsByCodeSigningConfig', 'CodeSigningConfigArn'),

  CreateCapacityProvider: (input, asking) => {
    const needs = capacityProvider('CreateCapacityProvider')(input, asking)
    const role = members(input['PermissionsConfig'])['CapacityProviderOperatorRoleArn']
    return needs.flatMap((need) => [
      { ...need, keys: tagKeys(input['Tags']) },
      ...passRole(role, asking, need.resource),
      ...tagNew(input['Tags'], need),
    ])
  },
  GetCapacityProvider: capacityProvider('GetCapacityProvider'),
  UpdateCapacityProvider: capacityProvider('UpdateCapacityProvider'),
  DeleteCapacityProvider: capacityProvider('DeleteCapacityProvider'),
  ListFunctionVersionsByCapacityProvider: capacityProvider('ListFunctionVersionsByCapacityProvider'),

  CheckpointDurableExecution: onExecution('CheckpointDurableExecution'),
  GetDurableExecution: onExecution('GetDurableExecution'),
  GetDurableExecutionHistory: onExecution('GetDurableExecutionHistory'),
  GetDurableExecutionState: onExecution('GetDurableExecutionState'),
  StopDurableExecution: onExecution('StopDurableExecution'),
  // A callback's id does not say whose it is; which resource AWS names is unverified.
  SendDurableExecutionCallbackSuccess: everything('lambda:SendDurableExecutionCallbackSuccess'),
  SendDurableExecutionCallbackFailure: everything('lambda:SendDurableExecutionCallbackFailure'),
  SendDurableExecutionCallbackHeartbeat: everything('lambda:SendDurableExecutionCallbackHeartbeat'),
}

/** What a request to a function's URL needs beside its HTTP form: both actions, on the function the URL stands for. */
export function functionUrlNeeds(
  id: FunctionId,
  { qualifier, authType }: { readonly qualifier: string | undefined; readonly authType: string },
): readonly Need[] {
  const resource = functionArn(id, qualifier)
  const need = {
    resource,
    account: id.account,
    policy: { kind: 'function', id, qualifier },
    tagged: id,
  } as const
  return [
    {
      ...need,
      action: 'lambda:InvokeFunctionUrl',
      keys: keysOf({ 'lambda:functionurlauthtype': authType, 'lambda:functionarn': resource }),
    },
    { ...need, action: 'lambda:InvokeFunction', keys: keysOf({ 'lambda:invokedviafunctionurl': 'true' }) },
  ]
}
