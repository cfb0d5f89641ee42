/**
 * The JSON paths that EventBridge knows: names after dots, indices, `*`, and names in brackets. Pure.
 * Source: "Input transformation" of the user guide.
 */

type Step = string | number | typeof EVERY
const EVERY = Symbol('every')
const STEP = /^(?:\.([^.[\]'"\s]+)|\[(\d+)\]|\[(\*)\]|\['([^']*)'\]|\["([^"]*)"\])/

/** Undefined: no path. */
export function parsePath(path: string): readonly Step[] | undefined {
  if (!path.startsWith('$')) return undefined
  const steps: Step[] = []
  for (let rest = path.slice(1); rest !== '';) {
    const found = STEP.exec(rest)
    if (!found) return undefined
    const [whole, name, index, every, ...quoted] = found
    if (name === '*' || every !== undefined) steps.push(EVERY)
    else steps.push(index === undefined ? (name ?? quoted[0] ?? quoted[1] ?? '') : Number(index))
    rest = rest.slice(whole.length)
  }
  return steps
}

/** Undefined when there is nothing; a list when the path asks for every element. */
export function valueAt(value: unknown, path: string): unknown {
  const steps = parsePath(path)
  return steps && walk(value, steps)
}

function walk(value: unknown, [step, ...rest]: readonly Step[]): unknown {
  if (step === undefined) return value
  if (value === null || typeof value !== 'object') return undefined
  if (step === EVERY) {
    const items = Object.values(value)
    return items.map((item: unknown) => walk(item, rest)).filter((item) => item !== undefined)
  }
  if (typeof step === 'number') return Array.isArray(value) ? walk(value[step], rest) : undefined
  return Object.hasOwn(value, step) ? walk((value as Record<string, unknown>)[step], rest) : undefined
}
