/** AWS REST JSON 1: operations by method and path, input from labels, query, headers and body. */
import type { LambdaError } from '#contracts/errors.ts'
import { writeRestError } from '#wire/errors.ts'
import { createJsonReaders } from '#wire/json-reader.ts'
import { createJsonWriters } from '#wire/json-writer.ts'
import type { ServiceModel } from '#wire/model.ts'
import type { Protocol } from '#wire/protocol.ts'
import { compileRestInput, type RestInput } from '#wire/rest-input.ts'
import { compileRestOutput, type RestOutput } from '#wire/rest-output.ts'
import { createRouter } from '#wire/router.ts'
import { unknownOperation } from '#wire/errors.ts'
import { createValidators } from '#wire/validation.ts'

interface Compiled {
  readonly input: RestInput | undefined
  readonly output: RestOutput
}

export interface RestProtocol extends Protocol {
  /** True when some operation has this path, whatever its method. */
  knows(path: string): boolean
}

export function createRestJson(model: ServiceModel): RestProtocol {
  const router = createRouter(model.operations)
  const readers = createJsonReaders(model)
  const writers = createJsonWriters(model)
  const validators = createValidators(model)

  // Each operation is compiled when it is first used: a start-up that compiles 88 of them would be felt.
  const compiled = new Map<string, Compiled>()
  const compile = (name: string): Compiled => {
    const known = compiled.get(name)
    if (known) return known
    const operation = model.operations[name]
    if (!operation) throw new Error(`The model has no operation '${name}'`)
    const made = {
      input:
        operation.input === undefined
          ? undefined
          : compileRestInput(model, operation, operation.input, readers),
      output: compileRestOutput(model, operation, writers),
    }
    compiled.set(name, made)
    return made
  }

  return {
    knows: (path) => router.knows(path),
    route(head) {
      const match = router.match(head.method, head.path, head.query)
      if (!match) throw unknownOperation()
      return match
    },
    read(route, head, body) {
      const { input } = compile(route.operation)
      if (!input) return {}
      const value = input.read(route.labels, head, body)
      const failure = validators.check(input.shape, value)
      if (failure) throw failure
      return value
    },
    write: (operation, output) => compile(operation).output(output),
    writeError: (error: LambdaError) => writeRestError(model, error),
  }
}
