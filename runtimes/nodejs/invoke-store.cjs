'use strict'
/**
 * `awslambda.InvokeStore`: values that belong to one of several invocations, found by asynchronous context. The package
 * `@aws/lambda-invoke-store`, and with it AWS's SDKs and tools, use the one that is here.
 */
const REQUEST_ID = Symbol.for('_AWS_LAMBDA_REQUEST_ID')
const X_RAY_TRACE_ID = Symbol.for('_AWS_LAMBDA_X_RAY_TRACE_ID')
const TENANT_ID = Symbol.for('_AWS_LAMBDA_TENANT_ID')
const PROTECTED = new Set([REQUEST_ID, X_RAY_TRACE_ID, TENANT_ID])

/** What an invocation begins with. */
const storeOf = (invoke) => ({
  [REQUEST_ID]: invoke.requestId,
  [X_RAY_TRACE_ID]: invoke.traceId,
  [TENANT_ID]: invoke.tenantId,
})

/** Makes the global one, over `storage`, whose stores have the values as `values`. */
function invokeStore(storage) {
  const off = process.env.AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA
  if (off === '1' || off === 'true') return
  const values = () => storage.getStore()?.values
  globalThis.awslambda = {
    ...globalThis.awslambda,
    InvokeStore: {
      getContext: values,
      hasContext: () => values() !== undefined,
      get: (key) => values()?.[key],
      set(key, value) {
        if (PROTECTED.has(key)) {
          throw new Error(`Cannot modify protected Lambda context field: ${String(key)}`)
        }
        const store = values()
        if (!store) throw new Error('No context available')
        store[key] = value
      },
      run: (context, work) =>
        storage.run({ ...storage.getStore(), requestId: context[REQUEST_ID], values: context }, work),
      isProtectedKey: (key) => PROTECTED.has(key),
      getRequestId: () => values()?.[REQUEST_ID] ?? '-',
      getXRayTraceId: () => values()?.[X_RAY_TRACE_ID],
      getTenantId: () => values()?.[TENANT_ID],
    },
  }
}

module.exports = { invokeStore, storeOf }
