/** Which operations have a handler, and which of those are known to lack something. Read by the parity table. */
import { createLambdaOperations } from '#control-plane/api/operations.ts'
import { createLayerOperations } from '#control-plane/layers/operations.ts'
import { createInvokeOperations } from '#data-plane/frontend/invoke-operations.ts'

/**
 * Stands for whatever a factory asks for: only the names of the handlers are wanted, none of them is ever called.
 */
const anything: object = new Proxy(() => anything, { get: () => anything, apply: () => anything })

const lambda = {
  ...createLambdaOperations(anything as never),
  ...createLayerOperations(anything as never),
  ...createInvokeOperations(anything as never),
}

/** `service.Operation` of every handler. */
export const builtOperations: readonly string[] = Object.keys(lambda).map((name) => `lambda.${name}`)

/** Built in part only, with the reason. */
export const partialOperations: Readonly<Record<string, string>> = {
  'lambda.GetFunctionCodeSigningConfig': 'code signing configurations can not be attached yet',
  'lambda.GetFunctionRecursionConfig': 'always the default',
  'lambda.GetFunctionUrlConfig': 'function URLs can not be created yet',
  'lambda.GetPolicy': 'resource policies can not be written yet',
  'lambda.GetProvisionedConcurrencyConfig': 'provisioned concurrency can not be set yet',
  'lambda.GetRuntimeManagementConfig': 'always the default',
  'lambda.InvokeWithResponseStream': 'the answer of the function is buffered before it is sent',
  'lambda.ListEventSourceMappings': 'mappings can not be created yet',
  'lambda.ListFunctionUrlConfigs': 'function URLs can not be created yet',
  'lambda.ListProvisionedConcurrencyConfigs': 'provisioned concurrency can not be set yet',
}
