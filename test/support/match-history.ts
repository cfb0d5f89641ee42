/** Compares an execution's history with a requirement: `*` and `{}` are anything, `${NAME}` the same thing everywhere. */

const WHOLE_NAME = /^\$\{([^/}][^}]*)\}$/
const NAMES = /\$\{([^/}][^}]*)\}/g
const PATTERN = /^\$\{\/(.+)\/\}$/

type Members = Readonly<Record<string, unknown>>
const isMembers = (value: unknown): value is Members =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** What the names stand for; filled by the first thing that one is compared with. */
export type Bindings = Map<string, unknown>

/** Text with the values of the names in it; of anything else, the same inside. */
export function withValues(value: unknown, bindings: Bindings): unknown {
  if (typeof value === 'string') {
    const whole = WHOLE_NAME.exec(value)?.[1]
    if (whole !== undefined && bindings.has(whole)) return bindings.get(whole)
    return value.replaceAll(NAMES, (text, name: string) => String(bindings.get(name) ?? text))
  }
  if (Array.isArray(value)) return value.map((item) => withValues(item, bindings))
  if (isMembers(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withValues(item, bindings)]))
  }
  return value
}

function compare(expected: unknown, actual: unknown, path: string, bindings: Bindings): readonly string[] {
  if (expected === '*' || (isMembers(expected) && Object.keys(expected).length === 0)) return []
  const name = typeof expected === 'string' ? WHOLE_NAME.exec(expected)?.[1] : undefined
  if (name !== undefined) {
    if (!bindings.has(name)) bindings.set(name, actual)
    const bound = bindings.get(name)
    return bound === actual ? [] : [`${path}: ${name} is ${String(bound)}, here it is ${String(actual)}`]
  }
  const pattern = typeof expected === 'string' ? PATTERN.exec(expected)?.[1] : undefined
  if (pattern !== undefined) {
    return new RegExp(pattern).test(String(actual)) ? [] : [`${path}: ${String(actual)} is not ${pattern}`]
  }
  if (isMembers(expected) && isMembers(actual)) {
    return Object.entries(expected).flatMap(([key, value]) =>
      actual[key] === undefined
        ? [`${path}.${key} is missing`]
        : compare(value, actual[key], `${path}.${key}`, bindings),
    )
  }
  const wanted = withValues(expected, bindings)
  return JSON.stringify(wanted) === JSON.stringify(actual)
    ? []
    : [`${path}: ${JSON.stringify(wanted)} was expected, it is ${JSON.stringify(actual)}`]
}

/** What is different, by the events' numbers. Events that are not expected are not looked at. */
export function matchHistory(
  expected: readonly Members[],
  actual: readonly { readonly EventId?: number | undefined }[],
  bindings: Bindings,
): readonly string[] {
  const byId = new Map(actual.map((event) => [event.EventId, event]))
  return expected.flatMap((event) => {
    const id = event['EventId'] as number
    const found = byId.get(id)
    return found ? compare(event, found, `event ${id}`, bindings) : [`There is no event ${id}`]
  })
}
