/** What a handler learns about its request. Made for every request, so what few handlers ask for is made when asked. */
import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Principal, RequestContext } from '#wire/service.ts'

export class DoorContext implements RequestContext {
  readonly requestId: string
  readonly account: string
  readonly region: string
  readonly principal: Principal
  readonly isAuthorised: boolean
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #abort: AbortController | undefined

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    identity: Pick<RequestContext, 'requestId' | 'account' | 'region' | 'principal'> & {
      readonly isAuthorised: boolean
    },
  ) {
    this.requestId = identity.requestId
    this.account = identity.account
    this.region = identity.region
    this.principal = identity.principal
    this.isAuthorised = identity.isAuthorised
    this.#request = request
    this.#response = response
  }

  get endpoint(): string {
    return `http://${this.#request.headers.host ?? 'localhost'}`
  }

  get traceId(): string | undefined {
    const value = this.#request.headers['x-amzn-trace-id']
    return Array.isArray(value) ? value[0] : value
  }

  get signal(): AbortSignal {
    if (this.#abort) return this.#abort.signal
    const abort = new AbortController()
    this.#abort = abort
    const response = this.#response
    const hungUp = () => {
      if (!response.writableFinished) abort.abort(new Error('The client closed the connection'))
    }
    if (response.destroyed) hungUp()
    else response.once('close', hungUp)
    return abort.signal
  }
}
