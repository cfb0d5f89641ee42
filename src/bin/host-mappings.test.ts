import assert from 'node:assert/strict'
import { test } from 'node:test'

import { networkOf } from '#contracts/network.ts'

import { BadMapping, readFileSystems, readSubnets } from './host-mappings.ts'

test('without a text every subnet is one that reaches the internet, each id with its own VPC', () => {
  const subnets = readSubnets('')
  assert.equal(subnets.find('subnet-1')?.network, 'internet')
  assert.match(subnets.find('subnet-1')?.vpcId ?? '', /^vpc-[0-9a-f]{17}$/)
  assert.notEqual(subnets.find('subnet-1')?.vpcId, subnets.find('subnet-2')?.vpcId)
})

test('with a text there are only its subnets, in one VPC unless it says otherwise', () => {
  const subnets = readSubnets('subnet-1=none, subnet-2=endpoint,subnet-3=internet:vpc-9')
  assert.deepEqual(subnets.find('subnet-1'), { network: 'none', vpcId: subnets.find('subnet-2')?.vpcId })
  assert.deepEqual(subnets.find('subnet-3'), { network: 'internet', vpcId: 'vpc-9' })
  assert.equal(subnets.find('subnet-4'), undefined)
})

test('of several subnets the most closed one counts; no VPC means the internet', () => {
  const subnets = readSubnets('subnet-1=none,subnet-2=endpoint,subnet-3=internet')
  assert.equal(networkOf(subnets, undefined), 'internet')
  assert.equal(networkOf(subnets, []), 'internet')
  assert.equal(networkOf(subnets, ['subnet-3', 'subnet-2']), 'endpoint')
  assert.equal(networkOf(subnets, ['subnet-2', 'subnet-1', 'subnet-3']), 'none')
  // A subnet that has been taken out of the settings closes what is in it.
  assert.equal(networkOf(subnets, ['subnet-3', 'subnet-9']), 'none')
})

test('access points stand for directories', () => {
  const id = 'fsap-0123456789abcdef0'
  assert.deepEqual([...readFileSystems(`${id}=/srv/a=b`)], [[id, '/srv/a=b']])
  assert.equal(readFileSystems('').size, 0)
})

test('texts that make no sense are refused', () => {
  for (const text of ['x', 'subnet-1', 'subnet-1=open', 'subnet-1=none:x', 'vpc-1=none']) {
    assert.throws(() => readSubnets(text), BadMapping, text)
  }
  for (const text of ['fsap-1=/srv', 'fsap-0123456789abcdef0=srv', 'fsap-0123456789abcdef0=/', '/srv']) {
    assert.throws(() => readFileSystems(text), BadMapping, text)
  }
})
