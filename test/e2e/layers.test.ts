/** Layers through the SDK: policies, filters, pages, deletion while in use, and what AWS refuses. */
// parity: PublishLayerVersion GetLayerVersion GetLayerVersionByArn ListLayers ListLayerVersions DeleteLayerVersion
// parity: AddLayerVersionPermission GetLayerVersionPolicy RemoveLayerVersionPermission
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import {
  AddLayerVersionPermissionCommand,
  DeleteLayerVersionCommand,
  GetFunctionConfigurationCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  PublishLayerVersionCommand,
  RemoveLayerVersionPermissionCommand,
  UpdateFunctionConfigurationCommand,
  type LambdaClient,
  type ListLayersCommandInput,
  type PublishLayerVersionCommandInput,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, invoke, lambdaClient, zipOf } from '../support/clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const LAYER = 'arn:aws:lambda:us-east-1:000000000000:layer'
const invalid = (message: string) => ({ name: 'InvalidParameterValueException', message, status: 400 })
const missing = (message: string) => ({ name: 'ResourceNotFoundException', message, status: 404 })

describe('layers through the SDK', () => {
  let program: Program
  let lambda: LambdaClient
  let zip: Buffer
  before(async () => {
    program = await startProgram()
    lambda = lambdaClient(program.endpoint)
    zip = await zipOf({ 'nodejs/node_modules/greet/index.js': "module.exports = 'from a layer'" })
  })
  after(() => program.stop())

  const publish = (LayerName: string, more: Partial<PublishLayerVersionCommandInput> = {}) =>
    lambda.send(new PublishLayerVersionCommand({ LayerName, Content: { ZipFile: zip }, ...more }))

  test('the policy of a version grows, shows its revision and shrinks', async () => {
    await publish('shared')
    const target = { LayerName: 'shared', VersionNumber: 1 }
    const policyOf = () => lambda.send(new GetLayerVersionPolicyCommand(target))
    assert.deepEqual(await errorOf(policyOf()), missing('No policy is associated with the given resource.'))
    const allow = { ...target, Action: 'lambda:GetLayerVersion' }
    const first = await lambda.send(
      new AddLayerVersionPermissionCommand({ ...allow, StatementId: 's1', Principal: '*' }),
    )
    assert.equal(first.$metadata.httpStatusCode, 201)
    const everybody = {
      Sid: 's1',
      Effect: 'Allow',
      Principal: '*',
      Action: 'lambda:GetLayerVersion',
      Resource: `${LAYER}:shared:1`,
    }
    assert.deepEqual(JSON.parse(first.Statement ?? ''), everybody)
    const again = await errorOf(
      lambda.send(new AddLayerVersionPermissionCommand({ ...allow, StatementId: 's1', Principal: '*' })),
    )
    assert.deepEqual(again, {
      name: 'ResourceConflictException',
      message:
        'The statement id (s1) provided already exists. Please provide a new statement id, or remove the existing statement.',
      status: 409,
    })
    const stale = {
      name: 'PreconditionFailedException',
      message:
        'The Revision Id provided does not match the latest Revision Id. Call the GetLayerPolicy API to retrieve the latest Revision Id',
      status: 412,
    }
    const second = { ...allow, StatementId: 's2', Principal: '111111111111' }
    assert.deepEqual(
      await errorOf(lambda.send(new AddLayerVersionPermissionCommand({ ...second, RevisionId: 'wrong' }))),
      stale,
    )
    await lambda.send(new AddLayerVersionPermissionCommand({ ...second, RevisionId: first.RevisionId }))
    const policy = await policyOf()
    assert.notEqual(policy.RevisionId, first.RevisionId)
    assert.deepEqual(JSON.parse(policy.Policy ?? ''), {
      Version: '2012-10-17',
      Id: 'default',
      Statement: [
        everybody,
        { ...everybody, Sid: 's2', Principal: { AWS: 'arn:aws:iam::111111111111:root' } },
      ],
    })
    const remove = (StatementId: string, RevisionId?: string) =>
      lambda.send(new RemoveLayerVersionPermissionCommand({ ...target, StatementId, RevisionId }))
    assert.deepEqual(await errorOf(remove('s9')), missing('Statement s9 is not found in resource policy.'))
    assert.deepEqual(await errorOf(remove('s1', 'wrong')), stale)
    assert.equal((await remove('s1', policy.RevisionId)).$metadata.httpStatusCode, 204)
    await remove('s2')
    assert.deepEqual(await errorOf(policyOf()), missing('No policy is associated with the given resource.'))
    assert.deepEqual(
      await errorOf(
        lambda.send(
          new AddLayerVersionPermissionCommand({
            ...allow,
            VersionNumber: 2,
            StatementId: 's',
            Principal: '*',
          }),
        ),
      ),
      missing(`Layer version ${LAYER}:shared:2 does not exist.`),
    )
    const action = await errorOf(
      lambda.send(
        new AddLayerVersionPermissionCommand({ ...target, Action: '*', StatementId: 's', Principal: '*' }),
      ),
    )
    assert.equal(
      action.message,
      "1 validation error detected: Value '*' at 'action' failed to satisfy constraint: Member must satisfy regular expression pattern: lambda:GetLayerVersion",
    )
  })

  test('lists filter by runtime and architecture, page, and show the newest first', async () => {
    await publish('filtered-a', { CompatibleRuntimes: ['python3.12'], CompatibleArchitectures: ['arm64'] })
    await publish('filtered-a', { CompatibleRuntimes: ['nodejs22.x'], CompatibleArchitectures: ['x86_64'] })
    await publish('filtered-b', { CompatibleRuntimes: ['nodejs22.x'] })
    const layers = async (input: ListLayersCommandInput) =>
      ((await lambda.send(new ListLayersCommand(input))).Layers ?? [])
        .filter(({ LayerName }) => LayerName?.startsWith('filtered-'))
        .map(({ LayerName, LatestMatchingVersion }) => `${LayerName}:${LatestMatchingVersion?.Version}`)
    assert.deepEqual(await layers({}), ['filtered-a:2', 'filtered-b:1'])
    assert.deepEqual(await layers({ CompatibleRuntime: 'python3.12' }), ['filtered-a:1'])
    assert.deepEqual(await layers({ CompatibleRuntime: 'nodejs22.x' }), ['filtered-a:2', 'filtered-b:1'])
    assert.deepEqual(await layers({ CompatibleArchitecture: 'arm64' }), ['filtered-a:1'])
    assert.deepEqual(await layers({ CompatibleRuntime: 'nodejs22.x', CompatibleArchitecture: 'arm64' }), [])

    const versions = async (Marker?: string) =>
      lambda.send(new ListLayerVersionsCommand({ LayerName: 'filtered-a', MaxItems: 1, Marker }))
    const newest = await versions()
    assert.deepEqual(
      newest.LayerVersions?.map(({ CreatedDate: _created, ...rest }) => rest),
      [
        {
          LayerVersionArn: `${LAYER}:filtered-a:2`,
          Version: 2,
          Description: '',
          CompatibleRuntimes: ['nodejs22.x'],
          CompatibleArchitectures: ['x86_64'],
        },
      ],
    )
    const oldest = await versions(newest.NextMarker)
    assert.deepEqual([oldest.LayerVersions?.[0]?.Version, oldest.NextMarker], [1, undefined])
    const nothing = await lambda.send(new ListLayerVersionsCommand({ LayerName: 'nobody' }))
    assert.deepEqual(nothing.LayerVersions, [])
    const wrong = await errorOf(
      lambda.send(new ListLayersCommand({ CompatibleArchitecture: 'mips' as 'arm64' })),
    )
    assert.equal(
      wrong.message,
      "1 validation error detected: Value 'mips' at 'compatibleArchitecture' failed to satisfy constraint: Member must satisfy enum value set: [x86_64, arm64]",
    )
  })

  test('a function keeps a layer that was deleted, and its number is not given out again', async () => {
    const { LayerVersionArn = '' } = await publish('kept')
    const config = await createFunction(lambda, {
      FunctionName: 'uses-kept',
      Layers: [LayerVersionArn],
      files: {
        'index.js': "exports.handler = async () => require('greet')",
      },
    })
    assert.deepEqual(config.Layers, [{ Arn: LayerVersionArn, CodeSize: zip.length }])
    const remove = () => lambda.send(new DeleteLayerVersionCommand({ LayerName: 'kept', VersionNumber: 1 }))
    assert.equal((await remove()).$metadata.httpStatusCode, 204)
    assert.equal((await remove()).$metadata.httpStatusCode, 204)
    assert.equal((await invoke(lambda, 'uses-kept')).payload, 'from a layer')
    const after = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'uses-kept' }))
    assert.deepEqual(after.Layers, config.Layers)
    assert.deepEqual(
      await errorOf(lambda.send(new GetLayerVersionByArnCommand({ Arn: LayerVersionArn }))),
      missing('The resource you requested does not exist.'),
    )
    assert.equal((await publish('kept')).Version, 2)
  })

  test('references to layers that make no sense are refused', async () => {
    await publish('twice')
    await publish('twice')
    await createFunction(lambda, {
      FunctionName: 'refuses',
      files: { 'index.mjs': 'export const handler = async () => 1' },
    })
    const attach = (...Layers: string[]) =>
      errorOf(lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'refuses', Layers })))
    assert.deepEqual(
      await attach(`${LAYER}:twice:1`, `${LAYER}:twice:2`),
      invalid(
        `Two different versions of the same layer are not allowed to be referenced in the same function. ${LAYER}:twice:1 and ${LAYER}:twice:2 are versions of the same layer.`,
      ),
    )
    assert.deepEqual(
      await attach(`${LAYER}:twice:9`),
      invalid(`Layer version ${LAYER}:twice:9 does not exist.`),
    )
    assert.deepEqual(
      await attach('arn:aws:lambda:eu-west-1:000000000000:layer:twice:1'),
      invalid(
        'Layers are not in the same region as the function. Layers are expected to be in region us-east-1.',
      ),
    )
    assert.match(
      (await attach(`${LAYER}:twice`)).message,
      /^1 validation error detected: Value '\[arn:aws:lambda:us-east-1:000000000000:layer:twice\]' at 'layers' failed to satisfy constraint: Member must satisfy constraint: \[Member must have length less than or equal to \d+, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: .*, Member must not be null\]$/,
    )
    const version = (VersionNumber: number) =>
      errorOf(lambda.send(new GetLayerVersionCommand({ LayerName: 'twice', VersionNumber })))
    assert.deepEqual(await version(0), invalid('Layer Version Cannot be less than 1'))
    assert.deepEqual(await version(-1), invalid('Layer Version Cannot be less than 1'))
    assert.deepEqual(await version(3), missing('The resource you requested does not exist.'))
    const published = await errorOf(
      publish('bad', {
        CompatibleRuntimes: ['invalidruntime' as 'python3.12'],
        CompatibleArchitectures: ['invalidarch' as 'arm64'],
      }),
    )
    assert.match(
      published.message,
      /^2 validation errors detected: Value '\[invalidruntime\]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy enum value set: \[nodejs20\.x, .*\]; Value '\[invalidarch\]' at 'compatibleArchitectures' failed to satisfy constraint: Member must satisfy constraint: \[Member must satisfy enum value set: \[x86_64, arm64\]\]$/,
    )
  })
})
