import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { findRuntime, RUNTIMES, runtimeVersion, runtimeVersionArn } from '#contracts/runtime.ts'

test('runtimes: the catalogue is the enum of the API model', () => {
  // The model's enum, kept here as text so that a lost identifier shows.
  const model =
    'nodejs|nodejs4.3|nodejs6.10|nodejs8.10|nodejs10.x|nodejs12.x|nodejs14.x|nodejs16.x|nodejs18.x|nodejs20.x|nodejs22.x|nodejs24.x|java8|java8.al2|java11|java17|java21|java25|python2.7|python3.6|python3.7|python3.8|python3.9|python3.10|python3.11|python3.12|python3.13|python3.14|dotnetcore1.0|dotnetcore2.0|dotnetcore2.1|dotnetcore3.1|dotnet6|dotnet8|dotnet10|nodejs4.3-edge|go1.x|ruby2.5|ruby2.7|ruby3.2|ruby3.3|ruby3.4|ruby4.0|provided|provided.al2|provided.al2023|nodejs26.x|python3.15|java8.al2023|java11.al2023|java17.al2023'
  assert.deepEqual(RUNTIMES.map((runtime) => runtime.identifier).toSorted(), model.split('|').toSorted())
})

test('runtimes: what this build runs', () => {
  assert.deepEqual(
    RUNTIMES.filter((runtime) => runtime.runnable).map((runtime) => runtime.identifier),
    'nodejs20.x nodejs22.x nodejs24.x nodejs26.x python3.9 python3.10 python3.11 python3.12 python3.13 python3.14 python3.15 provided.al2 provided.al2023'.split(
      ' ',
    ),
  )
})

test('runtimes: versions and their ARNs have the form that INIT_START shows', () => {
  const node = findRuntime('nodejs24.x')
  const provided = findRuntime('provided.al2023')
  assert.ok(node && provided)
  assert.equal(runtimeVersion(node), 'nodejs:24.v1')
  assert.equal(runtimeVersion(provided), 'provided:al2023.v1')
  assert.match(runtimeVersionArn('eu-west-1', node), /^arn:aws:lambda:eu-west-1::runtime:[0-9a-f]{64}$/)
  assert.notEqual(runtimeVersionArn('eu-west-1', node), runtimeVersionArn('eu-west-1', provided))
})

test('runtimes: provided.* has no AWS_EXECUTION_ENV and speaks HTTP', () => {
  assert.equal(findRuntime('provided.al2')?.executionEnv, undefined)
  assert.equal(findRuntime('provided.al2')?.protocol, 'http')
  assert.equal(findRuntime('python3.12')?.executionEnv, 'AWS_Lambda_python3.12')
  assert.equal(findRuntime('python3.12')?.protocol, 'framed')
})

test('runtimes: the catalogue stays usable in a browser', () => {
  const source = readFileSync(new URL('./runtime.ts', import.meta.url), 'utf8')
  assert.doesNotMatch(source, /from 'node:/)
})
