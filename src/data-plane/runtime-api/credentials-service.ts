/**
 * The credentials of a function that was continued from a snapshot: its variables would be those of the moment when it was
 * taken, so AWS's clients are told to ask here (developer guide, "SnapStart"; path and members: AWS's emulator).
 */
import type { Server } from 'node:net'

import type { Reply, RequestHandler } from '#data-plane/runtime-api/http-connection.ts'
import type { RequestHead } from '#data-plane/runtime-api/http-head.ts'
import * as replies from '#data-plane/runtime-api/http-replies.ts'
import { answerWith, createRouteService } from '#data-plane/runtime-api/http-service.ts'

const CREDENTIALS_PATH = '/2021-04-23/credentials'
/** Clients ask again some minutes before. */
const VALID_MS = 60 * 60 * 1000
const UNAUTHORISED = replies.problem(
  404,
  'InvalidToken',
  'The authorization token is not that of this function',
)

/** Returns how to end it. */
export function serveCredentials(options: {
  readonly server: Server
  /** What the client must show. */
  readonly token: string
  readonly now: () => number
  readonly current: () => Promise<{
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken: string
  }>
}): () => void {
  const { server, token, now, current } = options
  const reply = async (): Promise<Reply> => {
    try {
      const { accessKeyId, secretAccessKey, sessionToken } = await current()
      return replies.json(200, {
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: sessionToken,
        Expiration: new Date(now() + VALID_MS).toISOString().replace(/\.\d+Z$/, 'Z'),
      })
    } catch {
      return replies.problem(500, 'InternalServerError', 'There are no credentials at the moment')
    }
  }
  const open = (head: RequestHead): RequestHandler => {
    if (head.headers.get('authorization') !== token) return answerWith(UNAUTHORISED)
    return {
      keepBytes: 0,
      finish({ respond }) {
        void reply().then(respond)
      },
    }
  }
  const service = createRouteService()
  service.add([{ method: 'GET', path: CREDENTIALS_PATH, open }])
  return service.serve(server)
}
