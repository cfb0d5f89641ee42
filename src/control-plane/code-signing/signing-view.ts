/** How code signing configurations look in the API's answers. */
import type { CodeSigningConfig as View } from '@aws-sdk/client-lambda'

import type { CodeSigningConfig } from '#contracts/code-signing.ts'

import { arnOfConfig } from './signing-configs.ts'

export const signingConfigView = (config: CodeSigningConfig): View => ({
  CodeSigningConfigId: config.configId,
  CodeSigningConfigArn: arnOfConfig(config),
  ...(config.description !== undefined && { Description: config.description }),
  AllowedPublishers: { SigningProfileVersionArns: [...config.signingProfileVersionArns] },
  CodeSigningPolicies: { UntrustedArtifactOnDeployment: config.untrustedArtifactOnDeployment },
  // Recorded from AWS, with nine digits behind the point: another form than that of functions.
  LastModified: new Date(config.modifiedAt).toISOString().replace('Z', '000000Z'),
})
