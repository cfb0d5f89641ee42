/** Connection strings with several servers, of which one takes writes: `postgres://a,b:5433/name`, as libpq has them. */

const FORM = /^(postgres(?:ql)?:\/\/)((?:[^@/]*@)?)([^/?#]*)(.*)$/

/** One connection string for each server. Throws a TypeError for anything else. */
export function hostsOf(url: string): readonly string[] {
  const [, scheme, user, hosts, rest] = FORM.exec(url) ?? []
  if (scheme === undefined || user === undefined || hosts === undefined || rest === undefined) {
    throw new TypeError('A PostgreSQL store is named postgres://user@host,host/database')
  }
  const urls = hosts.split(',').map((host) => `${scheme}${user}${host}${rest}`)
  for (const one of urls) {
    // Without a host the path of a socket follows in the parameters, which URL does not take.
    if (!URL.canParse(one.replace(/:\/\/([^@/]*@)?(?=\/)/, '://$1localhost'))) {
      throw new TypeError('The name of the PostgreSQL store is no URL')
    }
  }
  return urls
}

/** For logs: without the password. */
export const withoutPassword = (url: string) => url.replace(/^(\w+:\/\/[^:@/]*):[^@/]*@/, '$1:***@')
