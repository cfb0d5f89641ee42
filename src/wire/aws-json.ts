/** AWS JSON 1.0 and 1.1: the operation in a header, input and output as the whole body. */
import { LambdaError } from '#contracts/errors.ts'
import { jsonContentType, writeJsonError } from '#wire/errors.ts'
import { parseJsonObject } from '#wire/json-body.ts'
import { createJsonReaders } from '#wire/json-reader.ts'
import { createJsonWriters } from '#wire/json-writer.ts'
import type { ServiceModel } from '#wire/model.ts'
import type { Protocol } from '#wire/protocol.ts'
import { createValidators } from '#wire/validation.ts'

const NO_LABELS: readonly string[] = []

export function createAwsJson(model: ServiceModel): Protocol {
  const readers = createJsonReaders(model)
  const writers = createJsonWriters(model)
  const validators = createValidators(model)
  const prefix = `${model.targetPrefix ?? ''}.`
  const contentType = ['Content-Type', jsonContentType(model)]

  return {
    route({ headers }) {
      const target = String(headers['x-amz-target'] ?? '')
      const operation = target.startsWith(prefix) ? target.slice(prefix.length) : ''
      if (!Object.hasOwn(model.operations, operation)) throw unknownTarget()
      return { operation, labels: NO_LABELS }
    },
    read({ operation }, _head, body) {
      const shape = model.operations[operation]?.input
      const json = parseJsonObject(body)
      if (shape === undefined) return {}
      const input = readers.of(shape)(json) as object
      const failure = validators.check(shape, input)
      if (failure) throw failure
      return input
    },
    write(operation, output) {
      const { output: shape, status = 200 } = model.operations[operation] ?? {}
      const { $status } = output as { readonly $status?: number }
      // An operation without output answers with no body at all (CloudWatch Logs does).
      const body = shape === undefined ? undefined : JSON.stringify(writers.of(shape)(output as never))
      return { status: $status ?? status, headers: contentType, body }
    },
    writeError: (error) => writeJsonError(model, error),
  }
}

/** AWS sends this name with no text at all. */
const unknownTarget = () => new LambdaError('UnknownOperationException', '', { status: 400 })
