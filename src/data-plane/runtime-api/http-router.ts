/** Finds the handler of a path. A table, so that further APIs of the environment add their rows. */
import type { RequestHandler } from '#data-plane/runtime-api/http-connection.ts'
import type { RequestHead } from '#data-plane/runtime-api/http-head.ts'

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Segments; `{id}` stands for any one of them, `*` at the end for all that follow. */
  readonly path: string
  /** `id` is what stood for `{id}`, undecoded. */
  open(head: RequestHead, id: string): RequestHandler
}

/** The segment that `{id}` stands for, `''` when there is none, or undefined when the path is another one. */
function match(pattern: readonly string[], path: readonly string[]): string | undefined {
  const open = pattern.at(-1) === '*'
  if (open ? path.length < pattern.length : path.length !== pattern.length) return undefined
  let id = ''
  for (const [index, expected] of pattern.entries()) {
    if (expected === '*') break
    const segment = path[index] ?? ''
    if (expected === '{id}') id = segment
    else if (expected !== segment) return undefined
  }
  return id
}

export function createRouter(
  routes: readonly Route[],
  missing: { readonly notFound: () => RequestHandler; readonly methodNotAllowed: () => RequestHandler },
): (head: RequestHead) => RequestHandler {
  const table = routes.map((route) => ({ route, pattern: route.path.split('/') }))
  return (head) => {
    const path = head.path.split('/')
    let known = false
    for (const { route, pattern } of table) {
      const id = match(pattern, path)
      if (id === undefined) continue
      if (route.method === head.method) return route.open(head, id)
      known = true
    }
    return known ? missing.methodNotAllowed() : missing.notFound()
  }
}
