import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { FunctionVersion } from '#contracts/function.ts'

import { aVersion } from '../../../test/support/function-version.ts'
import { assertSnapStart } from './snap-start.ts'

const check = (change: Partial<FunctionVersion>) =>
  assertSnapStart(aVersion({ runtime: 'java21', snapStart: 'PublishedVersions', ...change }))

test('SnapStart is for Java, Python and .NET from the first releases that AWS names', () => {
  for (const runtime of ['java11', 'java25', 'java17.al2023', 'python3.12', 'python3.14', 'dotnet8']) {
    check({ runtime })
  }
  for (const runtime of ['java8.al2', 'python3.11', 'nodejs24.x', 'dotnet6']) {
    assert.throws(
      () => check({ runtime }),
      /^LambdaError: .* is not supported for SnapStart enabled functions\.$/,
    )
    check({ runtime, snapStart: 'None' })
  }
})

test('SnapStart excludes images, file systems, larger /tmp and tenant isolation', () => {
  const bad: readonly Partial<FunctionVersion>[] = [
    { packageType: 'Image' },
    { fileSystems: [{ arn: 'a', localMountPath: '/mnt/a' }] },
    { ephemeralStorageMiB: 513 },
    { tenantIsolation: 'PER_TENANT' },
  ]
  for (const change of bad) {
    assert.throws(() => check(change), { code: 'InvalidParameterValueException' })
    check({ ...change, snapStart: 'None' })
  }
})
