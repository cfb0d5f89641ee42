/** The question that the door asks before an operation runs. */
import type { Principal } from '#wire/service.ts'

export interface AuthoriseRequest {
  /** Name of the service's model, such as `lambda`. */
  readonly service: string
  readonly operation: string
  /** As the operation's handler gets it. */
  readonly input: object
  readonly principal: Principal
  readonly region: string
  /** Address of the client, as far as the connection tells. */
  readonly sourceIp: string | undefined
  readonly userAgent: string | undefined
}

/**
 * Throws, or rejects with, AWS's AccessDeniedException when the caller may not. Returns nothing at once when the answer
 * is known, so that a warm request waits for nothing.
 */
export type Authorise = (request: AuthoriseRequest) => undefined | Promise<void>
