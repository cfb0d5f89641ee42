import assert from 'node:assert/strict'
import { test } from 'node:test'

import { aVersion } from '../../../test/support/function-version.ts'
import { hostObstacle } from './host-obstacle.ts'

const no = { enforced: false, why: 'x' } as const
const weak = { driver: 'process', filesystem: no, network: no } as const
const strong = {
  driver: 'oci',
  filesystem: { enforced: true },
  network: { enforced: true },
  images: { enforced: true },
} as const
const resources = (network: 'internet' | 'none') => ({
  networkOf: () => network,
  directoryOf: () => undefined,
})
const mounted = aVersion({ fileSystems: [{ arn: 'arn:aws:elasticfilesystem:x', localMountPath: '/mnt/a' }] })

test('a driver that can not mount refuses file systems, one that can does not', () => {
  const obstacle = hostObstacle(mounted, weak, resources('internet'))
  assert.deepEqual(
    [obstacle?.code, obstacle?.message],
    ['EFSMountFailureException', 'The process driver of this host cannot mount file systems.'],
  )
  assert.equal(hostObstacle(mounted, strong, resources('internet')), undefined)
})

test('a driver that can not show an image refuses functions of images', () => {
  const image = aVersion({ packageType: 'Image' })
  const obstacle = hostObstacle(image, weak, resources('internet'))
  assert.deepEqual(
    [obstacle?.code, obstacle?.message],
    [
      'InvalidConfigurationException',
      'The process driver of this host cannot give a function the file system of a container image.',
    ],
  )
  assert.ok(hostObstacle(image, { ...strong, images: no }, resources('internet')))
  assert.equal(hostObstacle(image, strong, resources('internet')), undefined)
})

test('a driver that can not close a network refuses those that are to be closed', () => {
  const obstacle = hostObstacle(aVersion(), weak, resources('none'))
  assert.equal(obstacle?.message, 'The process driver of this host cannot close the network to "none".')
  assert.equal(hostObstacle(aVersion(), weak, resources('internet')), undefined)
  assert.equal(hostObstacle(aVersion(), strong, resources('none')), undefined)
})
