import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { FunctionVersion } from '#contracts/function.ts'
import { findRuntime, IMAGE_RUNTIME } from '#contracts/runtime.ts'
import { guestEnvironment } from '#data-plane/worker/guest-environment.ts'

import { aVersion } from '../../../test/support/function-version.ts'

const PATHS = {
  task: '/var/task',
  opt: '/opt',
  runtime: '/var/runtime',
  lang: '/var/lang',
  tmp: '/tmp',
  compiled: '/var/cache',
}

function environmentOf(
  runtime: string,
  variables: Record<string, string> = {},
  settings: Partial<FunctionVersion> = {},
) {
  return guestEnvironment({
    version: aVersion({
      region: 'eu-west-1',
      name: 'fn',
      version: '3',
      runtime,
      logging: { format: 'Text', group: '/aws/lambda/fn' },
      ...settings,
    }),
    runtime: findRuntime(runtime),
    initializationType: 'on-demand',
    paths: PATHS,
    logStream: '2026/01/01/[3]00',
    variables,
    credentials: { accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T' },
    endpointUrl: 'http://10.0.0.1:4566',
    runtimeApi: runtime.startsWith('provided') ? '169.254.100.1:9001' : undefined,
  })
}

test('guest environment: a Node function sees exactly what it sees in AWS', () => {
  // Recorded from AWS (nodejs22.x), with our addition AWS_ENDPOINT_URL; framed runtimes have no Runtime API.
  assert.deepEqual(environmentOf('nodejs22.x'), {
    _HANDLER: 'index.handler',
    AWS_REGION: 'eu-west-1',
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs22.x',
    AWS_LAMBDA_FUNCTION_NAME: 'fn',
    AWS_LAMBDA_FUNCTION_VERSION: '3',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/fn',
    AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/01/[3]00',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_XRAY_DAEMON_ADDRESS: '169.254.100.1:2000',
    _AWS_XRAY_DAEMON_ADDRESS: '169.254.100.1',
    _AWS_XRAY_DAEMON_PORT: '2000',
    AWS_ACCESS_KEY_ID: 'A',
    AWS_SECRET_ACCESS_KEY: 'S',
    AWS_SESSION_TOKEN: 'T',
    AWS_ENDPOINT_URL: 'http://10.0.0.1:4566',
    LAMBDA_TASK_ROOT: '/var/task',
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    PWD: '/var/task',
    SHLVL: '0',
    PATH: '/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin',
    LD_LIBRARY_PATH:
      '/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib',
    NODE_PATH:
      '/opt/nodejs/node22/node_modules:/opt/nodejs/node_modules:/var/runtime/node_modules:/var/runtime:/var/task',
  })
})

test('guest environment: an image function sees what it sees in AWS, and the variables of its image', () => {
  const env = guestEnvironment({
    version: aVersion({ region: 'us-east-2', packageType: 'Image', handler: undefined }),
    runtime: IMAGE_RUNTIME,
    initializationType: 'on-demand',
    paths: PATHS,
    image: [
      ['OWN', 'of the image'],
      ['TZ', ':/etc/localtime'],
      ['AWS_REGION', 'mars-1'],
      ['LAMBDA_TASK_ROOT', '/elsewhere'],
    ],
    logStream: '2026/01/01/[$LATEST]00',
    variables: { TZ: 'UTC' },
    credentials: { accessKeyId: 'A', secretAccessKey: 'S', sessionToken: 'T' },
    endpointUrl: undefined,
    runtimeApi: '169.254.100.1:9001',
  })
  // Names recorded from AWS (an image of Alpine), but for those that its shell adds.
  assert.deepEqual(env, {
    AWS_ACCESS_KEY_ID: 'A',
    AWS_DEFAULT_REGION: 'us-east-2',
    AWS_EXECUTION_ENV: 'AWS_Lambda_Image',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '128',
    AWS_LAMBDA_FUNCTION_NAME: 'hello',
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/hello',
    AWS_LAMBDA_LOG_STREAM_NAME: '2026/01/01/[$LATEST]00',
    AWS_LAMBDA_RUNTIME_API: '169.254.100.1:9001',
    AWS_REGION: 'us-east-2',
    AWS_SECRET_ACCESS_KEY: 'S',
    AWS_SESSION_TOKEN: 'T',
    AWS_XRAY_CONTEXT_MISSING: 'LOG_ERROR',
    AWS_XRAY_DAEMON_ADDRESS: '169.254.100.1:2000',
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    LAMBDA_TASK_ROOT: '/var/task',
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    _AWS_XRAY_DAEMON_ADDRESS: '169.254.100.1',
    _AWS_XRAY_DAEMON_PORT: '2000',
    _HANDLER: '',
    OWN: 'of the image',
    TZ: 'UTC',
  })
})

test('guest environment: a customer may change what AWS lets him change, and nothing else', () => {
  const env = environmentOf('python3.12', {
    PATH: '/opt/bin',
    TZ: 'Europe/Vienna',
    AWS_ENDPOINT_URL: 'http://elsewhere',
    AWS_REGION: 'mars-1',
    LAMBDA_TASK_ROOT: '/etc',
    AWS_LAMBDA_RUNTIME_API: 'evil:1',
    AWS_SESSION_TOKEN: 'mine',
    OWN: 'x',
  })
  assert.equal(env['PATH'], '/opt/bin')
  assert.equal(env['TZ'], 'Europe/Vienna')
  assert.equal(env['AWS_ENDPOINT_URL'], 'http://elsewhere')
  assert.equal(env['OWN'], 'x')
  assert.equal(env['AWS_REGION'], 'eu-west-1')
  assert.equal(env['LAMBDA_TASK_ROOT'], '/var/task')
  assert.equal(env['AWS_LAMBDA_RUNTIME_API'], undefined)
  assert.equal(env['AWS_SESSION_TOKEN'], 'T')
  assert.equal(env['PYTHONPATH'], '/var/runtime')
})

test('guest environment: provided.* has the Runtime API and no execution environment, even when it is set', () => {
  const env = environmentOf('provided.al2023', { AWS_EXECUTION_ENV: 'AWS_Lambda_fake' })
  assert.equal(env['AWS_EXECUTION_ENV'], undefined)
  assert.equal(env['AWS_LAMBDA_RUNTIME_API'], '169.254.100.1:9001')
  assert.equal(env['NODE_PATH'], undefined)
})

test('guest environment: the log format and level of the JSON format', () => {
  const json = { format: 'JSON' as const, group: '/aws/lambda/fn' }
  assert.equal(environmentOf('nodejs24.x', {}, { logging: json })['AWS_LAMBDA_LOG_LEVEL'], 'INFO')
  const env = environmentOf('nodejs24.x', {}, { logging: { ...json, applicationLevel: 'ERROR' } })
  assert.equal(env['AWS_LAMBDA_LOG_FORMAT'], 'JSON')
  assert.equal(env['AWS_LAMBDA_LOG_LEVEL'], 'ERROR')
  assert.equal(environmentOf('nodejs24.x')['AWS_LAMBDA_LOG_FORMAT'], undefined)
})
