/** Signs requests with the credentials of the environment, as the AWS tools do. */
import { signRequest } from '#wire/sigv4-sign.ts'

import type { SignableRequest } from './client.ts'

/** Without credentials in the environment it signs with test/test, which the default of Lambent accepts. */
export function signerFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  region: string,
): (request: SignableRequest) => Record<string, string> {
  const sessionToken = env['AWS_SESSION_TOKEN']
  const credentials = {
    accessKeyId: env['AWS_ACCESS_KEY_ID'] ?? 'test',
    secret: env['AWS_SECRET_ACCESS_KEY'] ?? 'test',
    ...(sessionToken ? { sessionToken } : {}),
  }
  return ({ service, ...request }) =>
    signRequest({ ...request, credentials, region, service, nowMs: Date.now() })
}
