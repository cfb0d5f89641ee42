// The smallest function that shows what it was given and where it runs.
let invocations = 0

export const handler = async (event, context) => {
  invocations++
  console.log(`Hello from ${context.functionName}, invocation ${invocations} of this environment`)
  return {
    greeting: `Hello, ${event.name ?? 'world'}!`,
    invocations,
    requestId: context.awsRequestId,
    remainingMs: context.getRemainingTimeInMillis(),
    node: process.version,
  }
}
