/** Whose registry a request means, and whether its token is for it: what `docker login` sends after GetAuthorizationToken. */
import type { Scope } from '#contracts/arn.ts'
import { ECR_TOKEN_CONTEXT, type EcrToken } from '#contracts/ecr.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Sealer } from '#kernel/sealed.ts'
import type { Authorise } from '#wire/authorise.ts'
import { refuseForeignOrigin } from '#wire/foreign-origin.ts'

import { ownRepository, repositoryByPath } from '../reference.ts'
import type { RegistryAccess } from './registry-door.ts'
import { RegistryError } from './registry-error.ts'

export function createRegistryAccess(options: {
  /** False: anybody may read and write. */
  readonly needsToken: boolean
  /** What loopback addresses and unknown host names mean. */
  readonly home: Scope
  readonly port: number
  readonly sealer: Sealer
  readonly clock: Pick<Clock, 'now'>
  /** Asked for every request; left out, who has a token may do everything in its account. */
  readonly authorise?: Authorise | undefined
}): RegistryAccess {
  const { needsToken, sealer, clock, authorise } = options
  const tokenOf = (authorization: string): EcrToken | undefined => {
    const basic = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization)?.[1]
    const [user, password = ''] = Buffer.from(basic ?? '', 'base64')
      .toString()
      .split(':', 2)
    if (user !== 'AWS') return undefined
    try {
      return JSON.parse(sealer.open(password, ECR_TOKEN_CONTEXT)) as EcrToken
    } catch {
      return undefined
    }
  }
  return (request) => {
    const { headers } = request
    const host = headers.host ?? ''
    const locate = (name: string) =>
      ownRepository(host, name, options) ?? repositoryByPath(name, options.home)
    if (!needsToken) {
      refuseForeignOrigin(headers.origin)
      return { locate, mayDo: async () => {} }
    }
    const token = tokenOf(headers.authorization ?? '')
    if (!token) throw new RegistryError('UNAUTHORIZED', 'Not Authorized')
    // Text as clients report it from AWS.
    if (token.expiresAt <= clock.now()) {
      throw new RegistryError('DENIED', 'Your authorization token has expired. Reauthenticate and try again.')
    }
    const principal = { account: token.account, arn: token.arn, accessKeyId: token.accessKeyId }
    return {
      locate,
      async mayDo(operation, { account, region, name }) {
        // Only a repository's policy can let another account in.
        if (token.account !== account && !authorise) throw new RegistryError('DENIED', 'Not Authorized')
        await authorise?.({
          service: 'ecr',
          operation,
          input: { repositoryName: name, registryId: account },
          principal,
          region,
          sourceIp: request.socket.remoteAddress,
          userAgent: headers['user-agent'],
        })
      },
    }
  }
}
