/** Durable functions without an SDK, as packages of one file. */

/** Speaks the protocol of durable functions itself: starts one callback, and ends when it has been answered. */
export const WAITS_FOR_A_CALLBACK = `
exports.handler = async ({ DurableExecutionArn, CheckpointToken, InitialExecutionState }) => {
  const waits = InitialExecutionState.Operations.find(({ Type }) => Type === 'CALLBACK')
  if (waits && waits.Status !== 'STARTED') return { Status: 'SUCCEEDED', Result: '"answered"' }
  if (waits) return { Status: 'PENDING' }
  const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region } = process.env
  const scope = 'test/20261125/' + region + '/lambda/aws4_request'
  const answer = await fetch(
    endpoint + '/2025-12-01/durable-executions/' + encodeURIComponent(DurableExecutionArn) + '/checkpoint',
    {
      method: 'POST',
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=' + scope + ', SignedHeaders=host, Signature=' + '0'.repeat(64),
      },
      body: JSON.stringify({
        CheckpointToken,
        Updates: [
          { Id: '1', Name: 'answer', Type: 'CALLBACK', Action: 'START', CallbackOptions: { TimeoutSeconds: 50 } },
        ],
      }),
    },
  )
  if (!answer.ok) throw new Error(await answer.text())
  return { Status: 'PENDING' }
}`

/** Shows the token of its execution, which nobody else is told, as a tag of the function; then keeps the execution running. */
export const SHOWS_ITS_TOKEN = `
exports.handler = async ({ DurableExecutionArn, CheckpointToken }) => {
  const { AWS_ENDPOINT_URL: endpoint, AWS_REGION: region } = process.env
  const scope = 'test/20261125/' + region + '/lambda/aws4_request'
  const arn = DurableExecutionArn.split(':').slice(0, 7).join(':')
  const answer = await fetch(endpoint + '/2017-03-31/tags/' + encodeURIComponent(arn), {
    method: 'POST',
    headers: {
      authorization: 'AWS4-HMAC-SHA256 Credential=' + scope + ', SignedHeaders=host, Signature=' + '0'.repeat(64),
    },
    body: JSON.stringify({ Tags: { token: CheckpointToken } }),
  })
  if (!answer.ok) throw new Error(await answer.text())
  await new Promise((resolve) => setTimeout(resolve, 30_000))
}`
