import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import * as logsSchemas from '@aws-sdk/client-cloudwatch-logs'
import * as ecrSchemas from '@aws-sdk/client-ecr'
import * as iamSchemas from '@aws-sdk/client-iam'
import * as kmsSchemas from '@aws-sdk/client-kms'
import * as lambdaSchemas from '@aws-sdk/client-lambda'
import * as signerSchemas from '@aws-sdk/client-signer'
import * as sqsSchemas from '@aws-sdk/client-sqs'
import * as stsSchemas from '@aws-sdk/client-sts'

import { generate } from './generate-models.ts'
import { ECR, IAM, KMS, LAMBDA, LOGS, SIGNER, SQS, STS } from './model/services.ts'

const onDisk = (name: string) =>
  readFileSync(new URL(`../src/wire/models/${name}.ts`, import.meta.url), 'utf8')

test('models: the files on disk are what the generator makes of the SDK and the tables', () => {
  assert.equal(generate(LAMBDA, lambdaSchemas), onDisk('lambda'))
  assert.equal(generate(LOGS, logsSchemas), onDisk('logs'))
  assert.equal(generate(ECR, ecrSchemas), onDisk('ecr'))
  assert.equal(generate(IAM, iamSchemas), onDisk('iam'))
  assert.equal(generate(SIGNER, signerSchemas), onDisk('signer'))
  assert.equal(generate(SQS, sqsSchemas), onDisk('sqs'))
  assert.equal(generate(STS, stsSchemas), onDisk('sts'))
  assert.equal(generate(KMS, kmsSchemas), onDisk('kms'))
})

test('models: an order of enum values that no longer fits the model is refused', () => {
  const recipe = { ...LAMBDA, enumOrder: { InvokeMode: ['BUFFERED'] } }
  assert.throws(() => generate(recipe, lambdaSchemas), /The order of 'InvokeMode' names other values/)
})
