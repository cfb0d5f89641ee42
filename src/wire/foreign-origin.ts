/**
 * Web pages of other sites. A browser lets any page send simple requests to this machine's loopback; where nobody has to
 * sign, such a page could deploy and run code here. Browsers name the page in `Origin`; AWS's tools send no such header.
 */
import { LambdaError } from '#contracts/errors.ts'

const OF_THIS_MACHINE =
  /^https?:\/\/(localhost|[a-z0-9.-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

/** Throws when the request comes from a page that this machine does not serve itself. */
export function refuseForeignOrigin(origin: string | undefined): void {
  if (origin === undefined || OF_THIS_MACHINE.test(origin)) return
  throw new LambdaError(
    'AccessDeniedException',
    `Requests from pages of ${JSON.stringify(origin.slice(0, 200))} are refused while requests need no signature; start with --auth signature to allow them`,
    { status: 403 },
  )
}
