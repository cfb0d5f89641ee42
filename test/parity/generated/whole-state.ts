/** Something of everything, and a look at all of it: what a refused request must not have touched. */
import { createCapturedClient, type SharedHandler } from '../captured-client.ts'

export interface Where {
  readonly endpoint: string
  readonly region: string
  readonly agents: SharedHandler
}

const FN = { FunctionName: 'fn' }
const ARN = (region: string) => `arn:aws:lambda:${region}:000000000000:function:fn`

/** A function `fn` with a version, an alias, a URL, a policy and settings, a layer and a code signing configuration. */
export async function seed({ zip, ...where }: Where & { readonly zip: Uint8Array }): Promise<void> {
  const client = createCapturedClient(where.endpoint, where.region, where.agents)
  const send = async (operation: string, input: object) => {
    const answer = await client.send(operation, input)
    if (answer.status >= 300) throw new Error(`${operation}: ${answer.bytes.toString()}`)
    return JSON.parse(answer.bytes.toString() || 'null') as Record<string, unknown> | null
  }
  await send('CreateFunction', {
    ...FN,
    Runtime: 'nodejs26.x',
    Role: 'arn:aws:iam::000000000000:role/lambda',
    Handler: 'index.handler',
    Code: { ZipFile: zip },
    Tags: { tag: 'value' },
  })
  while ((await send('GetFunctionConfiguration', FN))?.['State'] === 'Pending') {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await send('PublishVersion', FN)
  await send('CreateAlias', { ...FN, Name: 'live', FunctionVersion: '1' })
  await send('CreateFunctionUrlConfig', { ...FN, AuthType: 'NONE' })
  await send('AddPermission', {
    ...FN,
    StatementId: 's3',
    Action: 'lambda:InvokeFunction',
    Principal: 's3.amazonaws.com',
  })
  await send('PutFunctionConcurrency', { ...FN, ReservedConcurrentExecutions: 5 })
  await send('PutFunctionEventInvokeConfig', { ...FN, MaximumRetryAttempts: 1 })
  await send('PublishLayerVersion', { LayerName: 'layer', Content: { ZipFile: zip } })
  await send('CreateCodeSigningConfig', {
    AllowedPublishers: {
      SigningProfileVersionArns: [
        `arn:aws:signer:${where.region}:000000000000:/signing-profiles/test/abcdefghij`,
      ],
    },
  })
  client.close()
}

/** The answers of everything that lists or describes, byte for byte. */
export async function stateOf(where: Where): Promise<Record<string, string>> {
  const client = createCapturedClient(where.endpoint, where.region, where.agents)
  const looks: readonly (readonly [string, object])[] = [
    ['ListFunctions', { FunctionVersion: 'ALL' }],
    ['GetFunctionConfiguration', FN],
    ['ListVersionsByFunction', FN],
    ['ListAliases', FN],
    ['ListFunctionUrlConfigs', FN],
    ['ListFunctionEventInvokeConfigs', FN],
    ['ListProvisionedConcurrencyConfigs', FN],
    ['ListEventSourceMappings', {}],
    ['ListTags', { Resource: ARN(where.region) }],
    ['GetPolicy', FN],
    ['GetFunctionConcurrency', FN],
    ['GetFunctionCodeSigningConfig', FN],
    ['GetFunctionRecursionConfig', FN],
    ['GetRuntimeManagementConfig', FN],
    ['ListLayers', {}],
    ['ListLayerVersions', { LayerName: 'layer' }],
    ['ListCodeSigningConfigs', {}],
    ['GetAccountSettings', {}],
  ]
  const state: Record<string, string> = {}
  for (const [operation, input] of looks) {
    state[operation] = (await client.send(operation, input)).bytes.toString()
  }
  client.close()
  return state
}
