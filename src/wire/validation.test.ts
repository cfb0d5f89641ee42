import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { lambdaModel } from '#wire/models/lambda.ts'
import { logsModel } from '#wire/models/logs.ts'
import { createValidators } from '#wire/validation.ts'

const validators = createValidators(lambdaModel)
const textOf = (shape: string, input: object) => validators.check(shape, input)?.message

const NAME =
  '(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?'
const valid = { FunctionName: 'f', Role: 'arn:aws:iam::000000000000:role/r', Code: {} }

describe('validation', () => {
  test('has nothing to say about a good input', () => {
    assert.equal(textOf('CreateFunctionRequest', valid), undefined)
    assert.equal(textOf('InvocationRequest', { FunctionName: 'f', Payload: new Uint8Array(9) }), undefined)
  })

  test('names every required member that is missing', () => {
    assert.equal(
      textOf('CreateFunctionRequest', {}),
      "3 validation errors detected: Value null at 'functionName' failed to satisfy constraint: Member must not be null; Value null at 'role' failed to satisfy constraint: Member must not be null; Value null at 'code' failed to satisfy constraint: Member must not be null",
    )
  })

  test('quotes the value and the pattern', () => {
    assert.equal(
      textOf('CreateFunctionRequest', { ...valid, FunctionName: 'a b' }),
      `1 validation error detected: Value 'a b' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${NAME}`,
    )
  })

  test('reports length and value bounds', () => {
    assert.equal(
      textOf('CreateFunctionRequest', { ...valid, Timeout: 0, MemorySize: 40_000 }),
      "2 validation errors detected: Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal to 1; Value '40000' at 'memorySize' failed to satisfy constraint: Member must have value less than or equal to 32768",
    )
    assert.equal(
      textOf('CreateFunctionRequest', { ...valid, FunctionName: 'f'.repeat(141) }),
      `1 validation error detected: Value '${'f'.repeat(141)}' at 'functionName' failed to satisfy constraint: Member must have length less than or equal to 140`,
    )
  })

  test("lists enum values in AWS's order, and all rules of an element when one is broken", () => {
    assert.equal(
      textOf('CreateFunctionRequest', { ...valid, Architectures: ['foo'] }),
      "1 validation error detected: Value '[foo]' at 'architectures' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64], Member must not be null]",
    )
    assert.equal(
      textOf('CreateFunctionUrlConfigRequest', {
        FunctionName: 'f',
        AuthType: 'NONE',
        Cors: { AllowMethods: ['GET', 'POST', 'OPTIONS'] },
      }),
      "1 validation error detected: Value '[GET, POST, OPTIONS]' at 'cors.allowMethods' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 6, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: .*, Member must not be null]",
    )
  })

  test('reports keys and values of maps', () => {
    const alias = (weights: object) => ({
      FunctionName: 'f',
      Name: 'a',
      FunctionVersion: '1',
      RoutingConfig: { AdditionalVersionWeights: weights },
    })
    assert.equal(
      textOf('CreateAliasRequest', alias({ x: 0.5 })),
      "1 validation error detected: Value '{x=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]",
    )
    assert.equal(
      textOf('CreateAliasRequest', alias({ 2: 1.5 })),
      "1 validation error detected: Value '{2=1.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]",
    )
  })

  test('never shows a sensitive value', () => {
    const text = textOf('CreateFunctionRequest', { ...valid, Environment: { Variables: { '1x': 'secret' } } })
    assert.match(
      text ?? '',
      /^1 validation error detected: Value at 'environment\.variables' failed to satisfy/,
    )
  })

  test('numbers the elements of a list of structures from one', () => {
    const text = textOf('CreateFunctionRequest', {
      ...valid,
      FileSystemConfigs: [
        { Arn: 'arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-00000000000000000' },
      ],
    })
    assert.equal(
      text,
      "1 validation error detected: Value null at 'fileSystemConfigs.1.member.localMountPath' failed to satisfy constraint: Member must not be null",
    )
  })

  test('leaves unknown runtimes to the operation', () => {
    assert.equal(textOf('CreateFunctionRequest', { ...valid, Runtime: 'cobol' }), undefined)
  })

  test('answers in bounded size and time, whatever it is sent', () => {
    const huge = textOf('CreateFunctionRequest', { ...valid, Handler: ' '.repeat(5_000_000) })
    assert.ok((huge?.length ?? 0) < 10_000)
    const many = textOf('CreateEventSourceMappingRequest', {
      FunctionName: 'f',
      SourceAccessConfigurations: Array.from({ length: 10_000 }, () => ({ URI: '?' })),
    })
    assert.ok((many?.length ?? 0) < 1_000_000)
  })

  test('words it as the service does: other name, no values, no null rule', () => {
    const error = createValidators(logsModel).check('UntagResourceRequest', {
      resourceArn: 'arn:x',
      tagKeys: [''],
    })
    assert.equal(error?.code, 'InvalidParameterException')
    assert.match(error?.message ?? '', /^1 validation error detected: Value at 'tagKeys' failed to satisfy/)
    assert.doesNotMatch(error?.message ?? '', /not be null/)
  })
})
