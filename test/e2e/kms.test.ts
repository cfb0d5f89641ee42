/** KMS through the real SDK. Texts and members are those recorded from AWS. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'

import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  EnableKeyRotationCommand,
  KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'

import { errorOf } from '../support/clients.ts'
import { clientEnvironment, pythonClients } from '../support/python-clients.ts'
import { startProgram, type Program } from '../support/program.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const textOf = (data: Uint8Array | undefined) => Buffer.from(data ?? []).toString()
const keyArn = (id: string) => `arn:aws:kms:us-east-1:000000000000:key/${id}`

describe('KMS', () => {
  let program: Program
  let kms: KMSClient
  before(async () => {
    program = await startProgram()
    kms = clientIn('us-east-1')
  })
  after(() => program.stop())
  const clientIn = (region: string) =>
    new KMSClient({
      endpoint: program.endpoint,
      region,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    })
  const makeKey = async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: 'test key 123' }))
    return KeyMetadata?.KeyId ?? ''
  }

  test('a key is described with the members that AWS shows', async () => {
    const id = await makeKey()
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: id }))
    const { CreationDate, CurrentKeyMaterialId, ...rest } = KeyMetadata ?? {}
    assert.ok(CreationDate instanceof Date)
    assert.match(CurrentKeyMaterialId ?? '', /^[0-9a-f]{64}$/)
    assert.deepEqual(rest, {
      AWSAccountId: '000000000000',
      Arn: keyArn(id),
      CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      Description: 'test key 123',
      Enabled: true,
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      KeyId: id,
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyState: 'Enabled',
      KeyUsage: 'ENCRYPT_DECRYPT',
      MultiRegion: false,
      Origin: 'AWS_KMS',
    })
    assert.ok((await kms.send(new ListKeysCommand({}))).Keys?.some((key) => key.KeyArn === keyArn(id)))
  })

  test('what is encrypted under a context is decrypted only under an equal one', async () => {
    const id = await makeKey()
    const context = { department: '10103.0', b: '2' }
    const sealed = await kms.send(
      new EncryptCommand({ KeyId: id, Plaintext: bytes('secret'), EncryptionContext: context }),
    )
    assert.deepEqual([sealed.KeyId, sealed.EncryptionAlgorithm], [keyArn(id), 'SYMMETRIC_DEFAULT'])
    assert.ok(!textOf(sealed.CiphertextBlob).includes('secret'))
    const blob = sealed.CiphertextBlob
    const opened = await kms.send(
      new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: { b: '2', department: '10103.0' } }),
    )
    assert.deepEqual([textOf(opened.Plaintext), opened.KeyId], ['secret', keyArn(id)])
    for (const EncryptionContext of [undefined, { department: '10103.0' }, { ...context, b: '3' }]) {
      const refused = await errorOf(kms.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext })))
      assert.deepEqual([refused.name, refused.status], ['InvalidCiphertextException', 400])
    }
    const changed = Uint8Array.from(blob ?? [])
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
    for (const CiphertextBlob of [changed, bytes('x'), bytes('y'.repeat(200))]) {
      const refused = await errorOf(
        kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context })),
      )
      assert.equal(refused.name, 'InvalidCiphertextException')
    }
    const other = await makeKey()
    assert.deepEqual(
      await errorOf(
        kms.send(new DecryptCommand({ CiphertextBlob: blob, KeyId: other, EncryptionContext: context })),
      ),
      {
        name: 'IncorrectKeyException',
        message: 'The key ID in the request does not identify a CMK that can perform this operation.',
        status: 400,
      },
    )
  })

  test('data keys come with their ciphertext, and can be moved to another key', async () => {
    const [first, second] = [await makeKey(), await makeKey()]
    const made = await kms.send(new GenerateDataKeyCommand({ KeyId: first, KeySpec: 'AES_256' }))
    assert.equal(made.Plaintext?.byteLength, 32)
    const moved = await kms.send(
      new ReEncryptCommand({
        CiphertextBlob: made.CiphertextBlob,
        DestinationKeyId: second,
        DestinationEncryptionContext: { a: 'b' },
      }),
    )
    assert.deepEqual([moved.SourceKeyId, moved.KeyId], [keyArn(first), keyArn(second)])
    const opened = await kms.send(
      new DecryptCommand({ CiphertextBlob: moved.CiphertextBlob, EncryptionContext: { a: 'b' } }),
    )
    assert.deepEqual(opened.Plaintext, made.Plaintext)
    const blind = await kms.send(
      new GenerateDataKeyWithoutPlaintextCommand({ KeyId: first, NumberOfBytes: 7 }),
    )
    const seen = await kms.send(new DecryptCommand({ CiphertextBlob: blind.CiphertextBlob }))
    assert.equal(seen.Plaintext?.byteLength, 7)
    assert.equal(
      (await errorOf(kms.send(new GenerateDataKeyCommand({ KeyId: first })))).name,
      'ValidationException',
    )
    assert.equal((await kms.send(new GenerateRandomCommand({ NumberOfBytes: 44 }))).Plaintext?.byteLength, 44)
  })

  test("a disabled key and one that waits for deletion refuse, with AWS's names", async () => {
    const id = await makeKey()
    const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: id, Plaintext: bytes('x') }))
    await kms.send(new DisableKeyCommand({ KeyId: id }))
    for (const command of [
      new EncryptCommand({ KeyId: id, Plaintext: bytes('x') }),
      new DecryptCommand({ CiphertextBlob }),
    ]) {
      assert.deepEqual(await errorOf(kms.send(command as EncryptCommand)), {
        name: 'DisabledException',
        message: `${keyArn(id)} is disabled.`,
        status: 400,
      })
    }
    await kms.send(new EnableKeyCommand({ KeyId: id }))
    assert.equal(textOf((await kms.send(new DecryptCommand({ CiphertextBlob }))).Plaintext), 'x')
    const scheduled = await kms.send(new ScheduleKeyDeletionCommand({ KeyId: id, PendingWindowInDays: 7 }))
    assert.deepEqual(
      [scheduled.KeyId, scheduled.KeyState, scheduled.PendingWindowInDays],
      [keyArn(id), 'PendingDeletion', 7],
    )
    for (const command of [new DecryptCommand({ CiphertextBlob }), new EnableKeyCommand({ KeyId: id })]) {
      assert.deepEqual(await errorOf(kms.send(command as DecryptCommand)), {
        name: 'KMSInvalidStateException',
        message: `${keyArn(id)} is pending deletion.`,
        status: 400,
      })
    }
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: id }))
    assert.ok(KeyMetadata?.DeletionDate)
    await kms.send(new CancelKeyDeletionCommand({ KeyId: id }))
    const restored = await kms.send(new DescribeKeyCommand({ KeyId: id }))
    assert.deepEqual(
      [restored.KeyMetadata?.KeyState, restored.KeyMetadata?.DeletionDate],
      ['Disabled', undefined],
    )
    assert.equal(
      (await errorOf(kms.send(new CancelKeyDeletionCommand({ KeyId: id })))).name,
      'KMSInvalidStateException',
    )
  })

  test('keys that do not exist are told apart as in AWS', async () => {
    const absent = 'fa85f64e-5717-4562-b3fc-2c963f66afa6'
    for (const [KeyId, message] of [
      [absent, `Key '${keyArn(absent)}' does not exist`],
      [keyArn(absent), `Key '${keyArn(absent)}' does not exist`],
      ['fake-key-id', "Invalid keyId 'fake-key-id'"],
      ['mrk-fake-key-id', "Invalid keyId 'mrk-fake-key-id'"],
      ['alias/nothing', 'Alias arn:aws:kms:us-east-1:000000000000:alias/nothing is not found.'],
    ] as const) {
      assert.deepEqual(await errorOf(kms.send(new DescribeKeyCommand({ KeyId }))), {
        name: 'NotFoundException',
        message,
        status: 400,
      })
    }
    const id = await makeKey()
    assert.equal(
      (await errorOf(clientIn('eu-west-1').send(new DescribeKeyCommand({ KeyId: keyArn(id) })))).message,
      'Invalid arn us-east-1',
    )
  })

  test('an alias stands for its key wherever AWS lets it', async () => {
    const [first, second] = [await makeKey(), await makeKey()]
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/mine', TargetKeyId: first }))
    const arn = 'arn:aws:kms:us-east-1:000000000000:alias/mine'
    const sealed = await kms.send(new EncryptCommand({ KeyId: arn, Plaintext: bytes('x') }))
    assert.equal(sealed.KeyId, keyArn(first))
    assert.deepEqual(
      await errorOf(kms.send(new CreateAliasCommand({ AliasName: 'alias/mine', TargetKeyId: second }))),
      {
        name: 'AlreadyExistsException',
        message: `An alias with the name ${arn} already exists`,
        status: 400,
      },
    )
    assert.equal(
      (await errorOf(kms.send(new CreateAliasCommand({ AliasName: 'mine', TargetKeyId: second })))).message,
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    )
    assert.equal((await errorOf(kms.send(new DisableKeyCommand({ KeyId: arn })))).name, 'InvalidArnException')
    await kms.send(new UpdateAliasCommand({ AliasName: 'alias/mine', TargetKeyId: keyArn(second) }))
    const { Aliases } = await kms.send(new ListAliasesCommand({ KeyId: second }))
    assert.deepEqual(
      Aliases?.map((alias) => alias.AliasArn),
      [arn],
    )
    // The old ciphertext still names the old key.
    assert.equal(
      textOf((await kms.send(new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }))).Plaintext),
      'x',
    )
    await kms.send(new DeleteAliasCommand({ AliasName: 'alias/mine' }))
    assert.equal(
      (await errorOf(kms.send(new DeleteAliasCommand({ AliasName: 'alias/mine' })))).message,
      `Alias ${arn} is not found.`,
    )
  })

  test("Lambda's own key is made when it is first asked for, once, and can not be disabled", async () => {
    const asked = await Promise.all(
      [1, 2, 3].map(() => kms.send(new DescribeKeyCommand({ KeyId: 'alias/aws/lambda' }))),
    )
    assert.equal(new Set(asked.map(({ KeyMetadata }) => KeyMetadata?.KeyId)).size, 1)
    assert.equal(asked[0]?.KeyMetadata?.KeyManager, 'AWS')
    const KeyId = asked[0]?.KeyMetadata?.KeyId ?? ''
    assert.equal((await errorOf(kms.send(new DisableKeyCommand({ KeyId })))).name, 'AccessDeniedException')
    const sealed = await kms.send(new EncryptCommand({ KeyId: 'alias/aws/lambda', Plaintext: bytes('x') }))
    assert.equal(sealed.KeyId, keyArn(KeyId))
  })

  test('policies, tags and rotation are kept', async () => {
    const id = await makeKey()
    const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId: id }))
    assert.equal((JSON.parse(Policy) as { Id: string }).Id, 'key-default-1')
    await kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: '{"Version":"2012-10-17","Statement":[]}' }))
    assert.equal(
      (await kms.send(new GetKeyPolicyCommand({ KeyId: id }))).Policy,
      '{"Version":"2012-10-17","Statement":[]}',
    )
    assert.equal(
      (await errorOf(kms.send(new PutKeyPolicyCommand({ KeyId: id, Policy: 'no' })))).name,
      'MalformedPolicyDocumentException',
    )
    await kms.send(
      new TagResourceCommand({
        KeyId: id,
        Tags: [
          { TagKey: 'a', TagValue: '1' },
          { TagKey: 'b', TagValue: '2' },
        ],
      }),
    )
    await kms.send(new UntagResourceCommand({ KeyId: id, TagKeys: ['a'] }))
    const { Tags } = await kms.send(new ListResourceTagsCommand({ KeyId: id }))
    assert.deepEqual(Tags, [{ TagKey: 'b', TagValue: '2' }])
    assert.equal((await kms.send(new GetKeyRotationStatusCommand({ KeyId: id }))).KeyRotationEnabled, false)
    await kms.send(new EnableKeyRotationCommand({ KeyId: id }))
    const status = await kms.send(new GetKeyRotationStatusCommand({ KeyId: id }))
    assert.deepEqual([status.KeyRotationEnabled, status.RotationPeriodInDays], [true, 365])
  })

  test('bad input is refused with the texts recorded from AWS', async () => {
    const id = await makeKey()
    assert.equal(
      (await errorOf(kms.send(new GenerateRandomCommand({ NumberOfBytes: 1025 })))).message,
      "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
    )
    assert.equal(
      (await errorOf(kms.send(new GenerateRandomCommand({})))).message,
      'NumberOfBytes is required.',
    )
    assert.equal(
      (await errorOf(kms.send(new EncryptCommand({ KeyId: id, Plaintext: new Uint8Array(4097) })))).message,
      "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
    )
    assert.equal(
      (await errorOf(kms.send(new CreateKeyCommand({ KeySpec: 'HMAC_256' })))).message,
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    )
  })

  test('boto3 encrypts what the SDK for JavaScript decrypts', async (t) => {
    const clients = pythonClients()
    if (typeof clients === 'string') return t.skip(clients)
    const id = await makeKey()
    const code = `
import base64, boto3
kms = boto3.client("kms")
made = kms.encrypt(KeyId="${id}", Plaintext=b"from python", EncryptionContext={"k": "v"})
try:
    kms.decrypt(CiphertextBlob=made["CiphertextBlob"])
except kms.exceptions.InvalidCiphertextException:
    print(base64.b64encode(made["CiphertextBlob"]).decode())
`
    const { stdout } = await promisify(execFile)(clients.python, ['-c', code], {
      env: clientEnvironment(program.endpoint),
    })
    const opened = await kms.send(
      new DecryptCommand({ CiphertextBlob: Buffer.from(stdout, 'base64'), EncryptionContext: { k: 'v' } }),
    )
    assert.equal(textOf(opened.Plaintext), 'from python')
  })
})

test('keys outlive a crash', async (t) => {
  const first = await startProgram()
  const dataDirectory = first.dataDirectory
  const client = (program: Program) =>
    new KMSClient({
      endpoint: program.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    })
  let sealed: Uint8Array | undefined
  try {
    const { KeyMetadata } = await client(first).send(new CreateKeyCommand({}))
    const made = await client(first).send(
      new EncryptCommand({ KeyId: KeyMetadata?.KeyId, Plaintext: bytes('kept') }),
    )
    sealed = made.CiphertextBlob
  } finally {
    await first.kill9()
  }
  const second = await startProgram({ dataDirectory })
  t.after(async () => {
    await second.stop()
    await first.stop()
  })
  const opened = await client(second).send(new DecryptCommand({ CiphertextBlob: sealed }))
  assert.equal(textOf(opened.Plaintext), 'kept')
})
