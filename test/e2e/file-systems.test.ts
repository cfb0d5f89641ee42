/** File systems and VPCs: access points stand for directories of this host, subnets for networks. */
// parity: Invoke/EFSMountFailureException InvokeWithResponseStream/EFSMountFailureException
// parity: Invoke/S3FilesMountFailureException InvokeWithResponseStream/S3FilesMountFailureException
// parity: CreateFunction UpdateFunctionConfiguration Invoke
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  GetFunctionConfigurationCommand,
  InvokeWithResponseStreamCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
  type CreateFunctionCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { createFunction, errorOf, invoke, lambdaClient, ROLE, zipOf } from '../support/clients.ts'
import { driversHere } from '../support/drivers.ts'
import { startProgram, temporaryDirectory, type Program } from '../support/program.ts'

const ACCESS_POINT = 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0'
const S3_FILES =
  'arn:aws:s3files:us-east-1:000000000000:file-system/fs-0123456789abcdef0/access-point/fsap-0123456789abcdef1'
const UNKNOWN = ACCESS_POINT.replace(/.$/, '9')
const VPC = { SubnetIds: ['subnet-open'], SecurityGroupIds: ['sg-1'] }
const FILES = {
  'index.mjs': `import { appendFileSync, readFileSync } from 'node:fs'
    export const handler = async ({ path, text }) => {
      if (text !== undefined) appendFileSync(path, text)
      return readFileSync(path, 'utf8')
    }`,
}
const PROBE = {
  'index.mjs': `import { connect } from 'node:net'
    const reach = (host, port) => new Promise((resolve) => {
      const socket = connect({ host, port, timeout: 3000 }, () => { socket.destroy(); resolve('reached') })
      socket.on('error', ({ code }) => resolve(code))
      socket.on('timeout', () => { socket.destroy(); resolve('timeout') })
    })
    export const handler = async ({ host, port }) => {
      const endpoint = process.env.AWS_ENDPOINT_URL
      const url = endpoint === undefined ? undefined : new URL(endpoint)
      return { own: url ? await reach(url.hostname, url.port) : 'not told', other: await reach(host, port) }
    }`,
}

const isolating = (await driversHere()).filter(
  ({ driver, whyNot }) => driver !== 'process' && whyNot === undefined,
)

for (const { driver } of isolating) {
  describe(`file systems and subnets: ${driver}`, () => {
    let program: Program
    let lambda: LambdaClient
    let directory: string
    before(async () => {
      directory = mkdtempSync(join(tmpdir(), 'lambent-efs-'))
      program = await startProgram({
        args: [
          '--driver',
          driver,
          '--file-systems',
          `fsap-0123456789abcdef0=${directory}/efs,fsap-0123456789abcdef1=${directory}/s3`,
          '--subnets',
          'subnet-open=internet,subnet-closed=none,subnet-inner=endpoint,subnet-far=internet:vpc-far',
        ],
      })
      lambda = lambdaClient(program.endpoint)
    })
    after(async () => {
      await program.stop()
      rmSync(directory, { recursive: true, force: true })
    })
    const mount = (Arn: string, LocalMountPath = '/mnt/data') => [{ Arn, LocalMountPath }]
    const refusal = async (input: Partial<CreateFunctionCommandInput>) =>
      errorOf(
        lambda.send(
          new CreateFunctionCommand({
            FunctionName: 'never',
            Runtime: 'nodejs26.x',
            Handler: 'index.handler',
            Role: ROLE,
            Code: { ZipFile: await zipOf(FILES) },
            ...input,
          }),
        ),
      )
    const invalid = (message: string) => ({ name: 'InvalidParameterValueException', message, status: 400 })

    test('two functions share what they write, and it stays when they are gone', async () => {
      for (const FunctionName of ['writer', 'reader']) {
        const { FileSystemConfigs } = await createFunction(lambda, {
          FunctionName,
          files: FILES,
          VpcConfig: VPC,
          FileSystemConfigs: mount(ACCESS_POINT),
        })
        assert.deepEqual(FileSystemConfigs, mount(ACCESS_POINT))
      }
      const path = '/mnt/data/notes'
      assert.equal((await invoke(lambda, 'writer', { path, text: 'one ' })).payload, 'one ')
      assert.equal((await invoke(lambda, 'reader', { path, text: 'two' })).payload, 'one two')
      for (const FunctionName of ['writer', 'reader']) {
        await lambda.send(new DeleteFunctionCommand({ FunctionName }))
      }
      assert.equal(readFileSync(join(directory, 'efs/notes'), 'utf8'), 'one two')
    })

    test('access points of S3 Files work alike, and an update can move a function to another', async () => {
      const { FileSystemConfigs } = await createFunction(lambda, {
        FunctionName: 'moves',
        files: FILES,
        VpcConfig: VPC,
        FileSystemConfigs: mount(S3_FILES),
      })
      assert.deepEqual(FileSystemConfigs, [
        { Arn: S3_FILES, LocalMountPath: '/mnt/data', S3FilesConfig: { DirectS3Read: 'AUTO' } },
      ])
      await invoke(lambda, 'moves', { path: '/mnt/data/at', text: 's3' })
      await lambda.send(
        new UpdateFunctionConfigurationCommand({
          FunctionName: 'moves',
          FileSystemConfigs: mount(ACCESS_POINT, '/mnt/other'),
        }),
      )
      await waitUntilFunctionUpdatedV2(
        { client: lambda, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
        { FunctionName: 'moves' },
      )
      assert.equal((await invoke(lambda, 'moves', { path: '/mnt/other/at', text: 'efs' })).payload, 'efs')
      const gone = await invoke(lambda, 'moves', { path: '/mnt/data/at' })
      assert.equal(gone.functionError, 'Unhandled')
      assert.equal(readFileSync(join(directory, 's3/at'), 'utf8'), 's3')
    })

    test('what can not be mounted is refused', async () => {
      assert.deepEqual(
        await refusal({ VpcConfig: VPC, FileSystemConfigs: mount(UNKNOWN) }),
        invalid(`The access point ${UNKNOWN} does not exist.`),
      )
      assert.deepEqual(
        await refusal({ FileSystemConfigs: mount(ACCESS_POINT) }),
        invalid(`Function must be configured to execute in a VPC to reference access point ${ACCESS_POINT}.`),
      )
      const path = await refusal({ VpcConfig: VPC, FileSystemConfigs: mount(ACCESS_POINT, '/tmp/x') })
      assert.equal(
        path.message,
        "1 validation error detected: Value '/tmp/x' at 'fileSystemConfigs.1.member.localMountPath' failed to satisfy constraint: Member must satisfy regular expression pattern: /mnt/[a-zA-Z0-9-_.]+",
      )
      const two = await refusal({
        VpcConfig: VPC,
        FileSystemConfigs: [...mount(ACCESS_POINT), ...mount(S3_FILES, '/mnt/b')],
      })
      assert.match(
        two.message,
        /at 'fileSystemConfigs' failed to satisfy constraint: Member must have length less than or equal to 1$/,
      )
    })

    test('subnets that are not there, in two VPCs, or without a security group are refused', async () => {
      const inVpc = (SubnetIds: string[], SecurityGroupIds = ['sg-1']) =>
        refusal({ VpcConfig: { SubnetIds, SecurityGroupIds } })
      assert.deepEqual(
        await inVpc(['subnet-9']),
        invalid(
          "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID 'subnet-9' does not exist",
        ),
      )
      assert.deepEqual(
        await inVpc(['subnet-open', 'subnet-far']),
        invalid('The subnets of a function must be in the same VPC.'),
      )
      assert.deepEqual(
        await inVpc(['subnet-open'], []),
        invalid('SubnetIds and SecurityIds must coexist or be both empty list.'),
      )
    })

    test('a subnet decides what its functions reach', async () => {
      const { hostname, port } = new URL(program.endpoint)
      // Nobody listens at the other place: what counts is whether the guest has a way there at all.
      const other = { host: '192.0.2.1', port: 80 }
      const expected: Record<string, { own: string; other: RegExp }> = {
        'subnet-inner': { own: 'reached', other: /^ENETUNREACH$/ },
        'subnet-closed': { own: 'not told', other: /^ENETUNREACH$/ },
      }
      for (const [subnet, { own, other: way }] of Object.entries(expected)) {
        const FunctionName = `in-${subnet}`
        const { VpcConfig } = await createFunction(lambda, {
          FunctionName,
          files: PROBE,
          Timeout: 20,
          VpcConfig: { SubnetIds: [subnet], SecurityGroupIds: ['sg-1'] },
        })
        assert.match(VpcConfig?.VpcId ?? '', /^vpc-[0-9a-f]{17}$/)
        const { payload } = await invoke(lambda, FunctionName, other)
        const seen = payload as { own: string; other: string }
        assert.equal(seen.own, own, subnet)
        assert.match(seen.other, way, subnet)
      }
      // The host's own listener is out of reach in any case.
      const host = await invoke(lambda, 'in-subnet-inner', { host: hostname, port: Number(port) })
      assert.notEqual((host.payload as { other: string }).other, 'reached')
      const { VpcConfig } = await lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName: 'in-subnet-inner' }),
      )
      assert.deepEqual(
        { ...VpcConfig, VpcId: '' },
        {
          SubnetIds: ['subnet-inner'],
          SecurityGroupIds: ['sg-1'],
          VpcId: '',
          Ipv6AllowedForDualStack: false,
        },
      )
    })
  })
}

const [strongest] = isolating
const unless = { skip: strongest === undefined && 'nothing here mounts file systems' }

test(
  'file systems: an access point that stands for nothing any more can not be mounted',
  unless,
  async (t) => {
    const dataDirectory = await temporaryDirectory(t)
    const systems = `fsap-0123456789abcdef0=${dataDirectory}/efs,fsap-0123456789abcdef1=${dataDirectory}/s3`
    let program = await startProgram({ dataDirectory, args: ['--file-systems', systems] })
    t.after(() => program.stop())
    const arns = { efs: ACCESS_POINT, s3: S3_FILES }
    for (const [FunctionName, Arn] of Object.entries(arns)) {
      await createFunction(lambdaClient(program.endpoint), {
        FunctionName,
        files: FILES,
        VpcConfig: VPC,
        FileSystemConfigs: [{ Arn, LocalMountPath: '/mnt/data' }],
      })
    }
    await program.stop()

    program = await startProgram({ dataDirectory })
    const lambda = lambdaClient(program.endpoint)
    for (const [FunctionName, name] of [
      ['efs', 'EFSMountFailureException'],
      ['s3', 'S3FilesMountFailureException'],
    ] as const) {
      for (const run of [
        () => invoke(lambda, FunctionName, {}),
        () => lambda.send(new InvokeWithResponseStreamCommand({ FunctionName })),
      ]) {
        assert.deepEqual(await errorOf(run()), {
          name,
          message: `The function couldn't mount the file system of the access point ${arns[FunctionName]}: it stands for no directory of this host.`,
          status: 403,
        })
      }
    }
  },
)
