/** The operations on layers. Handlers get validated input; see wire/service.ts. */
import type {
  AddLayerVersionPermissionRequest,
  AddLayerVersionPermissionResponse,
  DeleteLayerVersionRequest,
  GetLayerVersionByArnRequest,
  GetLayerVersionPolicyRequest,
  GetLayerVersionPolicyResponse,
  GetLayerVersionRequest,
  GetLayerVersionResponse,
  ListLayersRequest,
  ListLayersResponse,
  ListLayerVersionsRequest,
  ListLayerVersionsResponse,
  PublishLayerVersionRequest,
  PublishLayerVersionResponse,
  RemoveLayerVersionPermissionRequest,
} from '@aws-sdk/client-lambda'

import type { Scope } from '#contracts/arn.ts'
import { layerKey } from '#contracts/keys.ts'
import { LambdaError, resourceNotFound } from '#contracts/errors.ts'
import type { CodeStore } from '#control-plane/port.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers, RequestContext } from '#wire/service.ts'

import { countersWrite } from '../account/counters.ts'
import { countedBytes, packageFromBucket } from '../artifacts/bucket-package.ts'
import { emptyPackage } from '../artifacts/package-checks.ts'
import type { Committer } from '../commit.ts'
import { createDocuments } from '../documents.ts'
import { assertPolicyLength } from '../policies/document.ts'
import { assertCompatibility } from './compatibility.ts'
import {
  layerHeadWrite,
  layerVersionWrite,
  readLayerHead,
  readLayerVersion,
  type LayerId,
  type LayerPolicy,
  type LayerVersion,
} from './layer-documents.ts'
import { listLayers, listLayerVersions } from './layer-lists.ts'
import {
  checkVersionNumber,
  layerForbidden,
  noSuchLayer,
  noSuchLayerVersion,
  parseLayerName,
  parseLayerVersionArn,
  versionArn,
} from './layer-names.ts'
import { addStatement, mayUse, removeStatement, renderPolicy, renderStatement } from './layer-policy.ts'
import { layerVersionView } from './layer-views.ts'

export interface LayerDependencies {
  readonly meta: Meta
  readonly code: CodeStore
  readonly committer: Committer
  readonly clock: Clock
  readonly random: Random
}

export function createLayerOperations(deps: LayerDependencies): OperationHandlers {
  const { meta, code, committer, clock, random } = deps
  const documents = createDocuments(meta)

  const get = async (id: LayerId, version: number, context: RequestContext) => {
    const found = (await readLayerVersion(meta, id, version))?.doc
    if (id.account !== context.account && !(found && mayUse(found, context.account))) {
      throw layerForbidden(context.principal.arn, versionArn(id, version))
    }
    if (!found) throw noSuchLayer()
    return layerVersionView(found, code, context.endpoint)
  }

  /** Reads a version, lets `change` decide on its policy and writes it; AWS's 404 when there is no such version. */
  const changePolicy = (
    id: LayerId,
    version: number,
    change: (version: LayerVersion, newRevision: string) => LayerPolicy | undefined,
  ) =>
    committer.run(layerKey(id, id.name), async () => {
      const before = await readLayerVersion(meta, id, version)
      if (!before) throw noSuchLayerVersion(id, version)
      const { policy: _, ...rest } = before.doc
      const policy = change(before.doc, random.uuid())
      const doc: LayerVersion = policy ? { ...rest, policy } : rest
      return { writes: [layerVersionWrite(doc, before.rev, doc)], result: doc }
    })

  const publishLayerVersion: OperationHandler<
    PublishLayerVersionRequest,
    PublishLayerVersionResponse
  > = async (input, context) => {
    const id = ownLayer(input.LayerName, context)
    assertCompatibility(input)
    const stored = await storeContent(code, input.Content)
    const version = await committer.run(layerKey(id, id.name), async () => {
      const head = await readLayerHead(meta, id)
      const counters = await documents.counters(id)
      const doc: LayerVersion = {
        ...id,
        version: head.doc.nextVersion,
        description: input.Description ?? '',
        ...(input.LicenseInfo !== undefined && { licenseInfo: input.LicenseInfo }),
        ...(input.CompatibleRuntimes && { compatibleRuntimes: input.CompatibleRuntimes }),
        ...(input.CompatibleArchitectures && { compatibleArchitectures: input.CompatibleArchitectures }),
        createdAt: clock.now(),
        code: stored,
      }
      const after = {
        ...head.doc,
        nextVersion: doc.version + 1,
        versions: [...head.doc.versions, doc.version],
      }
      return {
        writes: [
          layerHeadWrite(head, after),
          layerVersionWrite(doc, 0, doc),
          countersWrite(id, counters, { codeSizeBytes: countedBytes(stored) }),
        ],
        result: doc,
      }
    })
    return layerVersionView(version, code, context.endpoint)
  }

  const getLayerVersion: OperationHandler<GetLayerVersionRequest, GetLayerVersionResponse> = async (
    input,
    context,
  ) => {
    const number = Number(input.VersionNumber)
    checkVersionNumber(number)
    return get(parseLayerName(String(input.LayerName), context), number, context)
  }

  const getLayerVersionByArn: OperationHandler<GetLayerVersionByArnRequest, GetLayerVersionResponse> = async (
    input,
    context,
  ) => {
    const reference = parseLayerVersionArn(String(input.Arn))
    if (!reference || reference.id.region !== context.region) throw noSuchLayer()
    checkVersionNumber(reference.version)
    return get(reference.id, reference.version, context)
  }

  const list: OperationHandler<ListLayersRequest, ListLayersResponse> = (input, context) =>
    listLayers(meta, context, input)

  const listVersions: OperationHandler<ListLayerVersionsRequest, ListLayerVersionsResponse> = (
    input,
    context,
  ) => listLayerVersions(meta, ownLayer(input.LayerName, context), input)

  /** Functions that use the version keep it: they refer to its package, which stays in the blob store. */
  const deleteLayerVersion: OperationHandler<DeleteLayerVersionRequest, object> = async (input, context) => {
    const number = Number(input.VersionNumber)
    checkVersionNumber(number)
    const id = ownLayer(input.LayerName, context)
    await committer.run(layerKey(id, id.name), async () => {
      const head = await readLayerHead(meta, id)
      const version = await readLayerVersion(meta, id, number)
      if (!version) return { writes: [], result: undefined }
      const versions = head.doc.versions.filter((other) => other !== number)
      const freed = { codeSizeBytes: -countedBytes(version.doc.code) }
      return {
        writes: [
          layerHeadWrite(head, { ...head.doc, versions }),
          layerVersionWrite(version.doc, version.rev, null),
          countersWrite(id, await documents.counters(id), freed),
        ],
        result: undefined,
      }
    })
    return {}
  }

  const addPermission: OperationHandler<
    AddLayerVersionPermissionRequest,
    AddLayerVersionPermissionResponse
  > = async (input, context) => {
    const statement = {
      id: String(input.StatementId),
      action: String(input.Action),
      principal: String(input.Principal),
      ...(input.OrganizationId !== undefined && { organizationId: input.OrganizationId }),
    }
    const id = ownLayer(input.LayerName, context)
    const version = await changePolicy(id, Number(input.VersionNumber), (before, newRevision) => {
      const policy = addStatement(before.policy, statement, { ifRevision: input.RevisionId, newRevision })
      assertPolicyLength(renderPolicy(before, policy))
      return policy
    })
    return {
      Statement: JSON.stringify(renderStatement(version, statement)),
      RevisionId: version.policy?.revisionId,
    }
  }

  const removePermission: OperationHandler<RemoveLayerVersionPermissionRequest, object> = async (
    input,
    context,
  ) => {
    const id = ownLayer(input.LayerName, context)
    await changePolicy(id, Number(input.VersionNumber), ({ policy }, newRevision) =>
      removeStatement(policy, String(input.StatementId), { ifRevision: input.RevisionId, newRevision }),
    )
    return {}
  }

  const getPolicy: OperationHandler<GetLayerVersionPolicyRequest, GetLayerVersionPolicyResponse> = async (
    input,
    context,
  ) => {
    const id = ownLayer(input.LayerName, context)
    const version = (await readLayerVersion(meta, id, Number(input.VersionNumber)))?.doc
    if (!version) throw noSuchLayerVersion(id, Number(input.VersionNumber))
    if (!version.policy) throw resourceNotFound('No policy is associated with the given resource.')
    return { Policy: renderPolicy(version, version.policy), RevisionId: version.policy.revisionId }
  }

  return {
    PublishLayerVersion: publishLayerVersion,
    GetLayerVersion: getLayerVersion,
    GetLayerVersionByArn: getLayerVersionByArn,
    ListLayers: list,
    ListLayerVersions: listVersions,
    DeleteLayerVersion: deleteLayerVersion,
    AddLayerVersionPermission: addPermission,
    RemoveLayerVersionPermission: removePermission,
    GetLayerVersionPolicy: getPolicy,
  }
}

/** The layer that a request means, which must be the caller's own (text unverified). */
function ownLayer(name: string | undefined, scope: Scope): LayerId {
  const id = parseLayerName(String(name), scope)
  if (id.account !== scope.account || id.region !== scope.region) {
    throw new LambdaError('AccessDeniedException', 'The layer belongs to another account or region', {
      status: 403,
    })
  }
  return id
}

async function storeContent(code: CodeStore, content: PublishLayerVersionRequest['Content']) {
  if (content?.ZipFile !== undefined) return code.fromZip(content.ZipFile)
  // AWS's answer to a content without any source is not recorded; this is what it says about an empty package.
  if (content?.S3Bucket === undefined || content.S3Key === undefined) throw emptyPackage()
  return packageFromBucket(code, content)
}
