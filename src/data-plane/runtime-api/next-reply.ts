/** How the Runtime API hands an invocation to a runtime. */
import type { GuestInvocation } from '#contracts/invocation.ts'
import type { Reply } from '#data-plane/runtime-api/http-connection.ts'

/** Header values are sent as they are, except that nothing may end a line in the middle of them. */
function headerLine(name: string, value: string | undefined): string {
  return value === undefined || value === '' ? '' : `${name}: ${value.replaceAll(/[\r\n]/g, ' ')}\r\n`
}

export function nextReply(given: GuestInvocation): Reply {
  return {
    status: 200,
    contentType: 'application/json',
    headerLines:
      headerLine('Lambda-Runtime-Aws-Request-Id', given.requestId) +
      headerLine('Lambda-Runtime-Deadline-Ms', String(given.deadlineMs)) +
      headerLine('Lambda-Runtime-Invoked-Function-Arn', given.invokedFunctionArn) +
      headerLine('Lambda-Runtime-Trace-Id', given.traceId) +
      headerLine('Lambda-Runtime-Client-Context', given.clientContext) +
      headerLine('Lambda-Runtime-Cognito-Identity', given.cognitoIdentity) +
      headerLine('Lambda-Runtime-Aws-Tenant-Id', given.tenantId),
    body: given.payload,
  }
}
