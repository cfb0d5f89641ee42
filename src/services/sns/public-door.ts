/** What is reached without a signature: the certificate of the signer, and the links in messages. */
import type { IncomingMessage, ServerResponse } from 'node:http'

import { LambdaError, serviceFailure } from '#contracts/errors.ts'
import type { Random } from '#kernel/random.ts'
import type { Logger } from '#observability/port.ts'
import { snsModel } from '#wire/models/sns.ts'
import type { WireResponse } from '#wire/protocol.ts'
import { createQuery } from '#wire/query.ts'

import type { MessageSigner } from './message-signer.ts'
import type { SubscriptionOperations } from './subscription-operations.ts'
import type { Asker } from './topic-arns.ts'

/** True when the request was for this door. */
export type PublicDoor = (request: IncomingMessage, response: ServerResponse) => boolean

const ANONYMOUS = 'anonymous'
const CERTIFICATE = '/SimpleNotificationService-'

export function createPublicDoor(deps: {
  readonly signer: MessageSigner
  readonly subscriptions: Pick<SubscriptionOperations, 'confirm' | 'unsubscribe'>
  readonly random: Random
  readonly logger: Logger
}): PublicDoor {
  const { signer, subscriptions, random, logger } = deps
  const protocol = createQuery(snsModel)
  const actions: Readonly<Record<string, (input: never, asker: Asker) => Promise<object>>> = {
    ConfirmSubscription: subscriptions.confirm,
    Unsubscribe: subscriptions.unsubscribe,
  }

  const follow = async (action: string, query: string, requestId: string): Promise<WireResponse> => {
    try {
      const head = { method: 'GET', path: '/', query, headers: {} }
      const input = protocol.read({ operation: action, labels: [] }, head, new Uint8Array())
      const parameters = new URLSearchParams(query)
      const arn = parameters.get('SubscriptionArn') ?? parameters.get('TopicArn') ?? ''
      const answer = await actions[action]?.(input as never, anonymous(arn))
      return protocol.write(action, answer ?? {}, requestId)
    } catch (error) {
      if (error instanceof LambdaError) return protocol.writeError(error, requestId)
      logger.error('A link of a message could not be followed', { action, error })
      return protocol.writeError(serviceFailure('An internal error occurred'), requestId)
    }
  }

  return (request, response) => {
    const url = request.url ?? '/'
    const isGet = request.method === 'GET'
    if (isGet && url.startsWith(CERTIFICATE)) {
      request.resume()
      const isHere = url === signer.certificatePath
      response.writeHead(isHere ? 200 : 404, {
        'content-type': isHere ? 'application/x-pem-file' : 'text/plain',
      })
      response.end(isHere ? signer.certificate : 'There is no such certificate\n')
      return true
    }
    if (!url.startsWith('/?Action=') || request.headers.authorization !== undefined) return false
    const query = url.slice(2)
    const action = new URLSearchParams(query).get('Action') ?? ''
    // A signed request, or one of another version, is for the door of the APIs.
    if (!isGet || !Object.hasOwn(actions, action) || /[?&](?:X-Amz-Signature|Version)=/.test(query))
      return false
    request.resume()
    const requestId = random.uuid()
    void follow(action, query, requestId).then(({ status, headers, body }) => {
      response.writeHead(status, [...headers, 'x-amzn-RequestId', requestId])
      response.end(body)
    })
    return true
  }
}

/** What a link names is what it is about; nobody vouches for who follows it. */
function anonymous(arn: string): Asker {
  const [, , , region = '', account = ''] = arn.split(':')
  return {
    region,
    account,
    principal: { account: ANONYMOUS, arn: ANONYMOUS, accessKeyId: ANONYMOUS },
    isAuthorised: true,
    isAnonymous: true,
  }
}
