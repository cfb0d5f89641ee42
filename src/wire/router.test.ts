import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { lambdaModel } from '#wire/models/lambda.ts'
import { createRouter } from '#wire/router.ts'

const router = createRouter(lambdaModel.operations)
const operations = Object.entries(lambdaModel.operations)
const fill = (uri: string, label: string) => uri.replaceAll(/\{\w+\}/g, label)

describe('router', () => {
  test('finds all 88 operations, with and without a slash at the end', () => {
    assert.equal(operations.length, 88)
    for (const [name, { method, uri }] of operations) {
      const [path = '', query = ''] = fill(uri, 'x').split('?')
      assert.equal(router.match(method, path, query)?.operation, name)
      assert.equal(router.match(method, `${path}/`, query)?.operation, name)
    }
  })

  test('takes a label for a label even when it looks like a fixed segment', () => {
    const words = new Set(
      operations.flatMap(([, { uri }]) => uri.split(/[/?]/)).filter((word) => /^[a-z-]+$/.test(word)),
    )
    for (const word of words) {
      for (const [name, { method, uri }] of operations) {
        const [path = '', query = ''] = fill(uri, word).split('?')
        assert.equal(router.match(method, path, query)?.operation, name, `${method} ${path}`)
      }
    }
  })

  test('leaves labels encoded', () => {
    const path = '/2015-03-31/functions/arn%3Aaws%3Alambda%2Fx/policy/a%2Fb'
    assert.deepEqual(router.match('DELETE', path, ''), {
      operation: 'RemovePermission',
      labels: ['arn%3Aaws%3Alambda%2Fx', 'a%2Fb'],
    })
  })

  test('tells operations with a static query from their siblings', () => {
    const path = '/2019-09-30/functions/f/provisioned-concurrency'
    const list = 'ListProvisionedConcurrencyConfigs'
    assert.equal(router.match('GET', path, 'List=ALL')?.operation, list)
    assert.equal(router.match('GET', path, 'Marker=1&List=ALL&MaxItems=2')?.operation, list)
    for (const query of ['', 'Qualifier=1', 'xList=ALL', 'List=ALLx', 'List=all']) {
      assert.equal(router.match('GET', path, query)?.operation, 'GetProvisionedConcurrencyConfig', query)
    }
    assert.equal(
      router.match('GET', '/2018-10-31/layers', 'find=LayerVersion&Arn=a')?.operation,
      'GetLayerVersionByArn',
    )
    assert.equal(router.match('GET', '/2018-10-31/layers', '')?.operation, 'ListLayers')
  })

  test('refuses other methods, other paths and empty labels', () => {
    assert.equal(router.match('PATCH', '/2015-03-31/functions', ''), undefined)
    assert.equal(router.match('GET', '/2015-03-31/functions/f/invocations', ''), undefined)
    assert.ok(router.knows('/2015-03-31/functions/f/invocations'))
    for (const path of [
      '/',
      '',
      '/2015-03-31',
      '/2015-03-31/functions//invocations',
      '/2015-03-31/functions/f//',
      '/x',
    ]) {
      assert.equal(router.match('POST', path, ''), undefined, path)
      assert.ok(!router.knows(path))
    }
  })
})
