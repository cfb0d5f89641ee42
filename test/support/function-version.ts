/** A function version for tests: Node, 128 MB, three seconds. */
import type { FunctionVersion } from '#contracts/function.ts'

export const ID = { account: '000000000000', region: 'us-east-1', name: 'hello' }

export const aVersion = (change: Partial<FunctionVersion> = {}): FunctionVersion => ({
  ...ID,
  version: '$LATEST',
  packageType: 'Zip',
  runtime: 'nodejs22.x',
  handler: 'index.handler',
  role: 'arn:aws:iam::000000000000:role/r',
  description: '',
  timeoutSeconds: 3,
  memoryMiB: 128,
  ephemeralStorageMiB: 512,
  architecture: 'x86_64',
  code: { blob: '0'.repeat(64), codeSha256: '', sizeBytes: 1 },
  layers: [],
  logging: { format: 'Text', group: '/aws/lambda/hello' },
  tracingMode: 'PassThrough',
  snapStart: 'None',
  state: 'Active',
  revisionId: 'r',
  modifiedAt: 0,
  generation: 'g1',
  ...change,
})
