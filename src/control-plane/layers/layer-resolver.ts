import { invalidParameter } from '#contracts/errors.ts'
import { MAX_LAYERS } from '#contracts/limits.ts'
import type { LayerResolver } from '#control-plane/port.ts'
import type { Meta } from '#store/port.ts'

import { readLayerVersion } from './layer-documents.ts'
import { layerForbidden, parseLayerVersionArn } from './layer-names.ts'
import { mayUse } from './layer-policy.ts'

/** All texts recorded from AWS. */
export function createLayerResolver({ meta }: { readonly meta: Meta }): LayerResolver {
  return {
    async resolve(arns, scope) {
      if (arns.length > MAX_LAYERS) {
        throw invalidParameter(`Cannot reference more than ${MAX_LAYERS} layers.`)
      }
      const seen = new Map<string, string>()
      const references = arns.map((arn) => {
        const reference = parseLayerVersionArn(arn)
        if (!reference) throw invalidParameter(`Layer version ${arn} does not exist.`)
        const { id } = reference
        if (id.region !== scope.region) {
          throw invalidParameter(
            `Layers are not in the same region as the function. Layers are expected to be in region ${scope.region}.`,
          )
        }
        const layer = `${id.account}/${id.name}`
        const earlier = seen.get(layer)
        if (earlier !== undefined) {
          throw invalidParameter(
            `Two different versions of the same layer are not allowed to be referenced in the same function. ${earlier} and ${arn} are versions of the same layer.`,
          )
        }
        seen.set(layer, arn)
        return { arn, ...reference }
      })
      return Promise.all(
        references.map(async ({ arn, id, version }) => {
          const found = (await readLayerVersion(meta, id, version))?.doc
          if (id.account !== scope.account && !(found && mayUse(found, scope.account))) {
            throw layerForbidden(`arn:aws:iam::${scope.account}:root`, arn)
          }
          if (!found) throw invalidParameter(`Layer version ${arn} does not exist.`)
          const { blob, sizeBytes, unzippedBytes, signature } = found.code
          return { arn, blob, codeSizeBytes: sizeBytes, unzippedBytes, ...(signature && { signature }) }
        }),
      )
    },
  }
}
