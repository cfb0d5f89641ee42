/** Functions of package type Image, from the push to the answer. */
// parity: CreateFunction UpdateFunctionCode UpdateFunctionConfiguration GetFunction Invoke InvokeWithResponseStream PublishVersion
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { CreateRepositoryCommand, ECRClient } from '@aws-sdk/client-ecr'
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetFunctionCommand,
  InvokeWithResponseStreamCommand,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  type CreateFunctionCommandInput,
  type ImageConfig,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { probeDrivers } from '#data-plane/sandbox/select-driver.ts'

import { createFunction, errorOf, eventually, invoke, lambdaClient, ROLE } from '../support/clients.ts'
import { installPrograms } from '../support/image-files.ts'
import { startProgram, type Program } from '../support/program.ts'
import { layerOf, pushImage } from '../support/push-image.ts'

const REGISTRY = '000000000000.dkr.ecr.us-east-1.amazonaws.com'
const REPOSITORY = 'team/app'
const URI = `${REGISTRY}/${REPOSITORY}`
const PROGRAMS = ['/bin/sh', '/bin/sed', '/bin/sleep', '/usr/bin/id', '/usr/bin/curl']
const invalid = (message: string) => ({ name: 'InvalidParameterValueException', message, status: 400 })

/** Laid out as AWS's base images: an entry script, a runtime behind it, the function in /var/task. */
const ENTRY = `#!/bin/sh
if [ $# -ne 1 ]; then
  echo "entrypoint requires the handler name to be the first argument" 1>&2
  exit 142
fi
export _HANDLER="$1"
exec /var/runtime/bootstrap
`
const BOOTSTRAP = `#!/bin/sh
. "$LAMBDA_TASK_ROOT/\${_HANDLER%.*}.sh"
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while :; do
  event=$(curl -sS -D /tmp/head "$api/next")
  id=$(sed -n 's/^lambda-runtime-aws-request-id: *\\([0-9a-f-]*\\).*/\\1/ip' /tmp/head)
  "\${_HANDLER##*.}"
done
`
const code = (release: string) => `
answer() { curl -sS -o /dev/null --data-raw "$1" "$api/$id/response"; }
handler() { answer "[\\"${release}\\",$event,\\"$(pwd)\\",$(id -u),\\"$OWN\\",\\"$HOME\\"]"; }
kind() { answer "\\"$AWS_LAMBDA_INITIALIZATION_TYPE\\""; }
stream() {
  for word in one two three; do echo -n "$word "; sleep 0.05; done |
    curl -sS -o /dev/null -X POST -T - -H 'Lambda-Runtime-Function-Response-Mode: streaming' "$api/$id/response"
}
`

/** Layers below a directory: the base, and one for each release of the function. */
function makeLayers(directory: string) {
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text, { mode: 0o755 })
  }
  installPrograms(join(directory, 'base'), PROGRAMS)
  put('base/lambda-entrypoint.sh', ENTRY)
  put('base/var/runtime/bootstrap', BOOTSTRAP)
  put('first/var/task/app.sh', code('first'))
  put('second/var/task/app.sh', code('second'))
  return {
    base: layerOf(join(directory, 'base')),
    first: layerOf(join(directory, 'first')),
    second: layerOf(join(directory, 'second')),
  }
}

const SETTINGS = {
  Entrypoint: ['/lambda-entrypoint.sh'],
  Cmd: ['app.handler'],
  WorkingDir: '/var/task',
  Env: ['OWN=of the image', 'PATH=/usr/local/bin:/usr/bin:/bin'],
}
/** The process driver can't show a guest the files of an image, and says so. */
const canRun = (await probeDrivers()).some(
  ({ unavailable, images }) => unavailable === undefined && images?.enforced,
)

describe('functions of container images', () => {
  let program: Program
  let lambda: LambdaClient
  let digest = ''
  const directory = mkdtempSync(join(tmpdir(), 'lambent-images-'))
  let layers: ReturnType<typeof makeLayers>
  const push = (tag: string, release: 'first' | 'second') =>
    pushImage(program.endpoint, { repository: REPOSITORY, tag }, [layers.base, layers[release]], SETTINGS)

  before(async () => {
    // As hardened hosts have it: guests must be able to read what they are shown nevertheless.
    const umask = process.umask(0o077)
    program = await startProgram().finally(() => process.umask(umask))
    lambda = lambdaClient(program.endpoint)
    layers = makeLayers(directory)
    const ecr = new ECRClient({
      endpoint: program.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    })
    await ecr.send(new CreateRepositoryCommand({ repositoryName: REPOSITORY }))
    digest = await push('v1', 'first')
  })
  after(async () => {
    await program.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const create = (input: Partial<CreateFunctionCommandInput>) =>
    lambda.send(
      new CreateFunctionCommand({
        FunctionName: 'image',
        PackageType: 'Image',
        Role: ROLE,
        Code: { ImageUri: `${URI}:v1` },
        Timeout: 10,
        MemorySize: 256,
        ...input,
      }),
    )
  const settled = (FunctionName: string) =>
    eventually(`${FunctionName} is no longer Pending`, async () => {
      const found = await lambda.send(new GetFunctionCommand({ FunctionName }))
      return found.Configuration?.State === 'Pending' ? undefined : found
    })
  const updated = (FunctionName: string) =>
    eventually(`${FunctionName} is updated`, async () => {
      const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName }))
      return Configuration?.LastUpdateStatus === 'Successful' || undefined
    })
  const override = async (FunctionName: string, config: ImageConfig) => {
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName, ImageConfig: config }))
    await updated(FunctionName)
  }

  test('create answers as AWS does, and the function becomes Active', async () => {
    const { $metadata, RevisionId, LastModified, ...created } = (await create({
      FunctionName: 'described',
      ImageConfig: { EntryPoint: ['sh'], Command: ['-c', 'echo test'], WorkingDirectory: '/app1' },
      Environment: { Variables: { CUSTOM_ENV: 'test' } },
    })) as Awaited<ReturnType<typeof create>> & { ConfigSha256?: string }
    assert.equal($metadata.httpStatusCode, 201)
    assert.ok(RevisionId && LastModified)
    const { ConfigSha256, ...stable } = created
    assert.ok(ConfigSha256)
    assert.deepEqual(stable, {
      Architectures: ['x86_64'],
      CodeSha256: digest.slice('sha256:'.length),
      CodeSize: 0,
      Description: '',
      Environment: { Variables: { CUSTOM_ENV: 'test' } },
      EphemeralStorage: { Size: 512 },
      FunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:described',
      FunctionName: 'described',
      ImageConfigResponse: {
        ImageConfig: { EntryPoint: ['sh'], Command: ['-c', 'echo test'], WorkingDirectory: '/app1' },
      },
      LoggingConfig: { LogFormat: 'Text', LogGroup: '/aws/lambda/described' },
      MemorySize: 256,
      PackageType: 'Image',
      Role: ROLE,
      SnapStart: { ApplyOn: 'None', OptimizationStatus: 'Off' },
      State: 'Pending',
      StateReason: 'The function is being created.',
      StateReasonCode: 'Creating',
      Timeout: 10,
      TracingConfig: { Mode: 'PassThrough' },
      Version: '$LATEST',
    })
    const { Configuration, Code } = await settled('described')
    assert.deepEqual(Code, {
      RepositoryType: 'ECR',
      ImageUri: `${URI}:v1`,
      ResolvedImageUri: `${URI}@${digest}`,
    })
    assert.deepEqual(
      [Configuration?.State, Configuration?.LastUpdateStatus],
      canRun ? ['Active', 'Successful'] : ['Failed', 'Failed'],
    )
  })

  test('images that are not there, and members of the other package type, are refused', async () => {
    assert.deepEqual(
      await errorOf(create({ Code: { ImageUri: `${URI}:none` } })),
      invalid(`Source image ${URI}:none does not exist. Provide a valid source image.`),
    )
    assert.deepEqual(
      await errorOf(create({ Code: { ImageUri: 'no such thing' } })),
      invalid('Source image no such thing is not valid. Provide a valid source image.'),
    )
    const wrong = invalid(
      "Please don't provide Handler or Runtime or Layer when the intended function PackageType is Image.",
    )
    assert.deepEqual(await errorOf(create({ Runtime: 'nodejs26.x' })), wrong)
    assert.deepEqual(await errorOf(create({ Handler: 'index.handler' })), wrong)
    const nothing = await errorOf(create({ Code: {} }))
    assert.equal(nothing.name, 'InvalidParameterValueException')
    const snap = await errorOf(create({ SnapStart: { ApplyOn: 'PublishedVersions' } }))
    assert.equal(snap.name, 'InvalidParameterValueException')
    await createFunction(lambda, {
      FunctionName: 'zipped',
      files: { 'index.mjs': 'export const handler = async () => 1' },
    })
    assert.deepEqual(
      await errorOf(
        lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'zipped', ImageUri: `${URI}:v1` })),
      ),
      invalid("Please don't provide ImageUri when updating a function with packageType Zip."),
    )
    assert.equal((await invoke(lambda, 'zipped')).payload, 1)
  })

  const skip = canRun ? false : 'no driver here shows a guest the files of an image'

  test('it runs as the image says, or as the function says instead', { skip }, async () => {
    await create({})
    await settled('image')
    const { payload, functionError } = await invoke(lambda, 'image', { hello: 'image' })
    assert.equal(functionError, undefined)
    assert.deepEqual(payload, ['first', { hello: 'image' }, '/var/task', 993, 'of the image', ''])
    await override('image', { Command: ['app.stream'] })
    const { EventStream } = await lambda.send(new InvokeWithResponseStreamCommand({ FunctionName: 'image' }))
    const parts: string[] = []
    for await (const { PayloadChunk } of EventStream ?? [])
      if (PayloadChunk?.Payload) parts.push(Buffer.from(PayloadChunk.Payload).toString())
    assert.equal(parts.join(''), 'one two three ')
    assert.ok(parts.length > 1)
    await override('image', { WorkingDirectory: '/tmp' })
    assert.deepEqual((await invoke(lambda, 'image', 1)).payload, [
      'first',
      1,
      '/tmp',
      993,
      'of the image',
      '',
    ])
  })

  test(
    'what can not be started, and an entry point that ends, are told as AWS tells them',
    { skip },
    async () => {
      await create({ FunctionName: 'broken', ImageConfig: { WorkingDirectory: '/none' } })
      await settled('broken')
      const failure = async () => {
        const { payload, functionError, log } = await invoke(lambda, 'broken', 1, { LogType: 'Tail' })
        assert.equal(functionError, 'Unhandled')
        const { errorType, errorMessage } = payload as { errorType: string; errorMessage: string }
        assert.match(log, new RegExp(`Status: error\tError Type: ${errorType}`))
        return [errorType, errorMessage.replace(/^RequestId: \S+ Error: /, '')]
      }
      assert.deepEqual(await failure(), [
        'Runtime.InvalidWorkingDir',
        "the working directory doesn't exist: /none",
      ])
      await pushImage(program.endpoint, { repository: REPOSITORY, tag: 'odd' }, [Buffer.from('no layer')], {})
      await create({ FunctionName: 'odd', Code: { ImageUri: `${URI}:odd` } })
      const { Configuration } = await settled('odd')
      assert.deepEqual([Configuration?.State, Configuration?.StateReasonCode], ['Failed', 'InvalidImage'])
      await override('broken', { EntryPoint: ['app.handler'] })
      assert.deepEqual(await failure(), [
        'Runtime.InvalidEntrypoint',
        'exec: "app.handler": executable file not found in $PATH',
      ])
      await override('broken', { Command: ['app.handler', 'more'] })
      assert.deepEqual(await failure(), ['Runtime.ExitError', 'Runtime exited with error: exit status 142'])
    },
  )

  test('a version keeps its image when the tag moves, also after a crash', { skip }, async () => {
    const FunctionName = 'pinned'
    await create({ FunctionName })
    await settled(FunctionName)
    await lambda.send(new PublishVersionCommand({ FunctionName }))
    await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: '1' }))
    await push('v1', 'second')
    const releaseOf = async (Qualifier: string) =>
      ((await invoke(lambda, FunctionName, 1, { Qualifier })).payload as string[])[0]
    assert.equal(await releaseOf('$LATEST'), 'first')
    await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ImageUri: `${URI}:v1` }))
    await updated(FunctionName)
    assert.deepEqual([await releaseOf('$LATEST'), await releaseOf('live')], ['second', 'first'])

    await override(FunctionName, { Command: ['app.kind'] })
    await lambda.send(new PublishVersionCommand({ FunctionName }))
    await lambda.send(
      new PutProvisionedConcurrencyConfigCommand({
        FunctionName,
        Qualifier: '2',
        ProvisionedConcurrentExecutions: 1,
      }),
    )
    await eventually('an environment is provisioned', async () => {
      const { payload } = await invoke(lambda, FunctionName, 1, { Qualifier: '2' })
      return payload === 'provisioned-concurrency' || undefined
    })

    const { dataDirectory } = program
    await program.kill9()
    // What was unpacked is made again from what was pushed.
    rmSync(join(dataDirectory, 'images/unpacked'), { recursive: true })
    program = await startProgram({ dataDirectory })
    lambda = lambdaClient(program.endpoint)
    assert.equal(await releaseOf('live'), 'first')
  })
})
