/** Which operations have a handler, and which of those are known to lack something. Read by the parity table. */
import { createLambdaOperations } from '#control-plane/api/operations.ts'
import { createLayerOperations } from '#control-plane/layers/operations.ts'
import { createDurableOperations } from '#data-plane/durable/operations.ts'
import { createInvokeOperations } from '#data-plane/frontend/invoke-operations.ts'
import { systemClock } from '#kernel/clock.ts'
import { createLogsService } from '#services/logs/create-logs-service.ts'

/**
 * Stands for whatever a factory asks for: only the names of the handlers are wanted, none of them is ever called.
 */
const anything: object = new Proxy(() => anything, { get: () => anything, apply: () => anything })

const lambda = {
  ...createLambdaOperations(anything as never),
  ...createLayerOperations(anything as never),
  ...createInvokeOperations(anything as never),
  ...createDurableOperations(anything as never),
}

const logs = createLogsService({ storage: 'memory', clock: systemClock }).handlers

/** `service.Operation` of every handler. */
export const builtOperations: readonly string[] = [
  ...Object.keys(lambda).map((name) => `lambda.${name}`),
  ...Object.keys(logs).map((name) => `logs.${name}`),
]

/** Built in part only, with the reason. */
export const partialOperations: Readonly<Record<string, string>> = {
  'lambda.CreateEventSourceMapping': 'every source can be mapped, but only SQS queues are polled yet',
}
