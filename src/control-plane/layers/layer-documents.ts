/** What the store keeps of layers, and how it is read. */
import type { Scope } from '#contracts/arn.ts'
import { layerKey, layerVersionKey } from '#contracts/keys.ts'
import type { CodePackage } from '#contracts/function.ts'
import type { Meta, MetaRow, MetaWrite } from '#store/port.ts'

import { asJson, docOf, type Stored } from '../documents.ts'

/** Identifies a layer; `account` is the owner's. */
export interface LayerId extends Scope {
  readonly name: string
}

/** The head document: written together with every version, so that two publications never take one number. */
export interface LayerHead extends LayerId {
  /** Number the next version gets. Never reused, also not when every version was deleted. */
  readonly nextVersion: number
  /** Numbers of the versions that exist, ascending: the store can't be read backwards, and lists begin at the newest. */
  readonly versions: readonly number[]
}

export interface LayerStatement {
  readonly id: string
  readonly action: string
  /** `*`, an account number or the ARN of an account's root, as the request said. */
  readonly principal: string
  readonly organizationId?: string
}

export interface LayerPolicy {
  readonly revisionId: string
  readonly statements: readonly LayerStatement[]
}

export interface LayerVersion extends LayerId {
  readonly version: number
  readonly description: string
  readonly licenseInfo?: string
  /** Undefined when the request did not name any, which AWS answers differently from an empty list. */
  readonly compatibleRuntimes?: readonly string[]
  readonly compatibleArchitectures?: readonly string[]
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly code: CodePackage & { readonly unzippedBytes: number }
  readonly policy?: LayerPolicy
}

const stored = <Doc>(row: MetaRow | null): Stored<Doc> | undefined =>
  row ? { doc: docOf<Doc>(row), rev: row.rev } : undefined

export async function readLayerHead(meta: Meta, id: LayerId): Promise<Stored<LayerHead>> {
  const none = { account: id.account, region: id.region, name: id.name, nextVersion: 1, versions: [] }
  return stored<LayerHead>(await meta.get(layerKey(id, id.name))) ?? { doc: none, rev: 0 }
}

export async function readLayerVersion(
  meta: Meta,
  id: LayerId,
  version: number,
): Promise<Stored<LayerVersion> | undefined> {
  return stored<LayerVersion>(await meta.get(layerVersionKey(id, id.name, version)))
}

export const layerHeadWrite = (before: Stored<LayerHead>, doc: LayerHead): MetaWrite => ({
  key: layerKey(doc, doc.name),
  ifRev: before.rev,
  doc: asJson(doc),
})

export const layerVersionWrite = (
  id: LayerId & { readonly version: number },
  ifRev: number,
  doc: LayerVersion | null,
): MetaWrite => ({
  key: layerVersionKey(id, id.name, id.version),
  ifRev,
  doc: doc === null ? null : asJson(doc),
})
