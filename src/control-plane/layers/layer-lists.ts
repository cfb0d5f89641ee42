/** ListLayers and ListLayerVersions. */
import type {
  ListLayersRequest,
  ListLayersResponse,
  ListLayerVersionsRequest,
  ListLayerVersionsResponse,
} from '@aws-sdk/client-lambda'

import type { Scope } from '#contracts/arn.ts'
import { layerKey, layerPrefix } from '#contracts/keys.ts'
import type { Meta } from '#store/port.ts'

import { docOf, type Stored } from '../documents.ts'
import {
  readLayerHead,
  readLayerVersion,
  type LayerHead,
  type LayerId,
  type LayerVersion,
} from './layer-documents.ts'
import { listedLayer, listedLayerVersion } from './layer-views.ts'
import { decodeMarker, encodeMarker } from './page-marker.ts'

/** API model: MaxLayerListItems is at most 50; AWS answers that many by default. */
const DEFAULT_ITEMS = 50
/** Heads read at once while looking for layers with a matching version. */
const HEADS_AT_ONCE = 100

interface Filter {
  readonly CompatibleRuntime?: string | undefined
  readonly CompatibleArchitecture?: string | undefined
}

/** A version that names no runtimes (architectures) is not compatible with any in the eyes of a filter. */
const matches = (version: LayerVersion, { CompatibleRuntime, CompatibleArchitecture }: Filter) =>
  (CompatibleRuntime === undefined || version.compatibleRuntimes?.includes(CompatibleRuntime) === true) &&
  (CompatibleArchitecture === undefined ||
    version.compatibleArchitectures?.includes(CompatibleArchitecture) === true)

/** Matching versions from the newest, beginning below `below`. */
async function* matchingVersions(
  meta: Meta,
  head: LayerHead,
  filter: Filter,
  below = Number.POSITIVE_INFINITY,
) {
  for (const number of head.versions.toReversed()) {
    if (number >= below) continue
    const version: Stored<LayerVersion> | undefined = await readLayerVersion(meta, head, number)
    if (version && matches(version.doc, filter)) yield version.doc
  }
}

export async function listLayerVersions(
  meta: Meta,
  id: LayerId,
  input: ListLayerVersionsRequest,
): Promise<ListLayerVersionsResponse> {
  const marker = decodeMarker('layer-versions', input.Marker)
  const limit = input.MaxItems ?? DEFAULT_ITEMS
  const { doc: head } = await readLayerHead(meta, id)
  const found: LayerVersion[] = []
  for await (const version of matchingVersions(
    meta,
    head,
    input,
    marker === '' ? undefined : Number(marker),
  )) {
    // One more than asked for tells whether there is another page.
    if (found.length === limit) {
      const last = String(found.at(-1)?.version ?? 0)
      return {
        NextMarker: encodeMarker('layer-versions', last),
        LayerVersions: found.map(listedLayerVersion),
      }
    }
    found.push(version)
  }
  return { LayerVersions: found.map(listedLayerVersion) }
}

/** Layers in the order of their names, each with its newest matching version; layers without one are left out. */
export async function listLayers(
  meta: Meta,
  scope: Scope,
  input: ListLayersRequest,
): Promise<ListLayersResponse> {
  const marker = decodeMarker('layers', input.Marker)
  const limit = input.MaxItems ?? DEFAULT_ITEMS
  const found: LayerVersion[] = []
  let after = marker === '' ? '' : layerKey(scope, marker)
  for (;;) {
    const rows = await meta.list(layerPrefix(scope), after, HEADS_AT_ONCE)
    for (const row of rows) {
      const newest = await matchingVersions(meta, docOf<LayerHead>(row), input).next()
      if (newest.done) continue
      if (found.length === limit) {
        return {
          NextMarker: encodeMarker('layers', found.at(-1)?.name ?? ''),
          Layers: found.map(listedLayer),
        }
      }
      found.push(newest.value)
    }
    const last = rows.at(-1)
    if (!last || rows.length < HEADS_AT_ONCE) return { Layers: found.map(listedLayer) }
    after = last.key
  }
}
