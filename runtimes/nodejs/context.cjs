'use strict'
/** The context object of an invocation. */

function parseJson(text, name, modern) {
  if (text === undefined || text === '') return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(
      modern
        ? `Failed to parse ${name.header} as JSON: ${error.message}`
        : `Cannot parse ${name.member} as json: ${error}`,
      { cause: error },
    )
  }
}

const CLIENT_CONTEXT = { header: 'lambda-runtime-client-context', member: 'ClientContext' }
const COGNITO_IDENTITY = { header: 'lambda-runtime-cognito-identity', member: 'CognitoIdentity' }

/** Adds everything that comes from the invocation and the environment to `context`. `invoke` is the INVOKE header. */
function fillContext(context, invoke, modern) {
  const { env } = process
  const { deadlineMs } = invoke
  context.functionVersion = env.AWS_LAMBDA_FUNCTION_VERSION
  context.functionName = env.AWS_LAMBDA_FUNCTION_NAME
  context.memoryLimitInMB = env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE
  context.logGroupName = env.AWS_LAMBDA_LOG_GROUP_NAME
  context.logStreamName = env.AWS_LAMBDA_LOG_STREAM_NAME
  context.clientContext = parseJson(invoke.clientContext, CLIENT_CONTEXT, modern)
  context.identity = parseJson(invoke.cognitoIdentity, COGNITO_IDENTITY, modern)
  context.invokedFunctionArn = invoke.invokedFunctionArn
  context.awsRequestId = invoke.requestId
  context.tenantId = invoke.tenantId
  if (modern) context.xRayTraceId = invoke.traceId
  context.getRemainingTimeInMillis = () => deadlineMs - Date.now()
  return context
}

module.exports = { fillContext }
