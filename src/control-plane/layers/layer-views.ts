/** How layers look in the API's answers. */
import type {
  GetLayerVersionResponse,
  LayersListItem,
  LayerVersionsListItem,
  PublishLayerVersionResponse,
} from '@aws-sdk/client-lambda'

import { layerArn } from '#contracts/arn.ts'
import type { CodeStore } from '#control-plane/port.ts'

import { signatureView } from '../code-signing/signature-records.ts'
import { referenceView } from '../artifacts/bucket-package.ts'
import { lambdaDate } from '../views.ts'
import type { LayerVersion } from './layer-documents.ts'
import { versionArn } from './layer-names.ts'

/** Members that the request left out are missing here too; the description is not (recorded from AWS). */
export function listedLayerVersion(version: LayerVersion): LayerVersionsListItem {
  const { compatibleArchitectures, compatibleRuntimes, licenseInfo } = version
  return {
    LayerVersionArn: versionArn(version, version.version),
    Version: version.version,
    Description: version.description,
    CreatedDate: lambdaDate(version.createdAt),
    ...(compatibleRuntimes && {
      CompatibleRuntimes: [...compatibleRuntimes] as LayerVersionsListItem['CompatibleRuntimes'],
    }),
    ...(compatibleArchitectures && {
      CompatibleArchitectures: [
        ...compatibleArchitectures,
      ] as LayerVersionsListItem['CompatibleArchitectures'],
    }),
    ...(licenseInfo !== undefined && { LicenseInfo: licenseInfo }),
  }
}

export const listedLayer = (latest: LayerVersion): LayersListItem => ({
  LayerName: latest.name,
  LayerArn: layerArn(latest, latest.name),
  LatestMatchingVersion: listedLayerVersion(latest),
})

export const layerVersionView = (
  version: LayerVersion,
  code: Pick<CodeStore, 'location'>,
  endpoint: string,
): GetLayerVersionResponse & PublishLayerVersionResponse => ({
  Content: {
    Location: code.location(version.code, { endpoint }),
    CodeSha256: version.code.codeSha256,
    CodeSize: version.code.sizeBytes,
    ...signatureView(version.code.signature),
    ...referenceView(version.code),
  },
  LayerArn: layerArn(version, version.name),
  ...listedLayerVersion(version),
})
