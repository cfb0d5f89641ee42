/** Who calls, for operations that may leave the user's name out. */
import type { RequestContext } from '#wire/service.ts'

import { userNameNeeded } from './iam-errors.ts'

const USER = /^arn:aws[a-z-]*:iam::\d{12}:user\/(?:.*\/)?([^/]+)$/

/** The calling user's name. Throws ValidationError for roles and for the account's owner. */
export function callerName({ principal }: RequestContext): string {
  const name = USER.exec(principal.arn)?.[1]
  if (name === undefined) throw userNameNeeded()
  return name
}
