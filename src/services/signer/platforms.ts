/** Signing platforms. There is one; what is said of it beside its name is unverified. */
import type {
  GetRevocationStatusRequest,
  GetSigningPlatformRequest,
  ListSigningPlatformsRequest,
} from '@aws-sdk/client-signer'

import { LAMBDA_PLATFORM } from '#contracts/signer.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { noSuchPlatform, validation } from './signer-errors.ts'

export const PLATFORM_NAME = 'AWS Lambda'

const platform = {
  platformId: LAMBDA_PLATFORM,
  displayName: PLATFORM_NAME,
  partner: 'AWSLambda',
  target: 'SHA384-ECDSA',
  category: 'AWS',
  signingConfiguration: {
    encryptionAlgorithmOptions: { allowedValues: ['ECDSA'], defaultValue: 'ECDSA' },
    hashAlgorithmOptions: { allowedValues: ['SHA384'], defaultValue: 'SHA384' },
  },
  signingImageFormat: { supportedFormats: ['JSONDetached'], defaultFormat: 'JSONDetached' },
  maxSizeInMB: 250,
  revocationSupported: true,
}

const getPlatform: OperationHandler<GetSigningPlatformRequest, object> = async ({ platformId = '' }) => {
  if (platformId !== LAMBDA_PLATFORM) throw noSuchPlatform(platformId)
  return platform
}

const listPlatforms: OperationHandler<ListSigningPlatformsRequest, object> = async (input) => {
  const wanted =
    [undefined, platform.category].includes(input.category) &&
    [undefined, platform.partner].includes(input.partner) &&
    [undefined, platform.target].includes(input.target)
  return { platforms: wanted ? [platform] : [] }
}

/** For images only: AWS refuses the Lambda platform here, whose signatures Lambda itself looks after. */
const getRevocationStatus: OperationHandler<GetRevocationStatusRequest, object> = async ({ platformId }) => {
  throw validation(`Invalid platformId: ${platformId}`)
}

export const platformOperations: OperationHandlers = {
  GetSigningPlatform: getPlatform,
  ListSigningPlatforms: listPlatforms,
  GetRevocationStatus: getRevocationStatus,
}
