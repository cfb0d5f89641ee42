/** How code signing configurations look in the API's answers. */
import type { CodeSigningConfig as View } from '@aws-sdk/client-lambda'

import type { CodeSigningConfig } from '#contracts/code-signing.ts'

import { lambdaDate } from '../views.ts'
import { arnOfConfig } from './signing-configs.ts'

/** The form of the date, and that an empty description is sent, are unverified. */
export const signingConfigView = (config: CodeSigningConfig): View => ({
  CodeSigningConfigId: config.configId,
  CodeSigningConfigArn: arnOfConfig(config),
  Description: config.description,
  AllowedPublishers: { SigningProfileVersionArns: [...config.signingProfileVersionArns] },
  CodeSigningPolicies: { UntrustedArtifactOnDeployment: config.untrustedArtifactOnDeployment },
  LastModified: lambdaDate(config.modifiedAt),
})
