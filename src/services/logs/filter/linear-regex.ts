/**
 * The regular expressions of filter patterns: alternation, classes, quantifiers and anchors, without groups.
 * Matched by following all possibilities at once, so that no expression takes more than states times characters: they
 * come from clients, and a backtracking engine can be made to run for years.
 */
import { FilterPatternError } from './filter-error.ts'

export type Matcher = (text: string) => boolean

interface Atom {
  readonly accepts: (code: number) => boolean
}
interface Piece {
  readonly atom: Atom
  readonly min: number
  /** Infinity for an open end. */
  readonly max: number
}
interface Branch {
  readonly pieces: readonly Piece[]
  readonly fromStart: boolean
  readonly toEnd: boolean
}

/** Atoms after `{n,m}` is written out, over all branches. */
const MAX_STATES = 256
const MAX_REPEAT = 256
/** Source: AWS's filter pattern syntax: alphanumeric, these symbols, and the operators. */
const ALLOWED = /^[A-Za-z0-9_#=@/;,:\- ^$?[\]{}|\\*+.'"&!<>%()~`]*$/
const DIGIT = (code: number) => code >= 48 && code <= 57
const WORD = (code: number) =>
  DIGIT(code) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
const SPACE = (code: number) => code === 32 || (code >= 9 && code <= 13) || code === 160

const fail = (): never => {
  throw new FilterPatternError('Invalid filter pattern')
}

/** `source` is what stands between the percent signs. Throws `FilterPatternError`. */
export function compileRegex(source: string): Matcher {
  if (source === '' || !ALLOWED.test(source) || /(?<!\\)[()]/.test(source)) fail()
  const branches = createParser(source).parse()
  const machines = branches.map(compileBranch)
  if (machines.reduce((sum, machine) => sum + machine.atoms.length, 0) > MAX_STATES) fail()
  return (text) => machines.some((machine) => run(machine, text))
}

function createParser(source: string) {
  let at = 0
  const peek = () => source[at]
  const take = () => source[at++] ?? fail()

  const escape = (): ((code: number) => boolean) => {
    const char = take()
    const not = (accepts: (code: number) => boolean) => (code: number) => !accepts(code)
    switch (char) {
      case 'd':
        return DIGIT
      case 'D':
        return not(DIGIT)
      case 'w':
        return WORD
      case 'W':
        return not(WORD)
      case 's':
        return SPACE
      case 'S':
        return not(SPACE)
      default: {
        if (/[A-Za-z0-9]/.test(char)) fail()
        const code = char.charCodeAt(0)
        return (other) => other === code
      }
    }
  }

  const characterClass = (): Atom => {
    const parts: ((code: number) => boolean)[] = []
    const negated = peek() === '^'
    if (negated) at++
    while (peek() !== ']' || parts.length === 0) {
      const char = take()
      if (char === '\\') {
        parts.push(escape())
        continue
      }
      const low = char.charCodeAt(0)
      if (peek() === '-' && source[at + 1] !== ']' && source[at + 1] !== undefined) {
        at++
        const end = take()
        const high = (end === '\\' ? take() : end).charCodeAt(0)
        if (high < low) fail()
        parts.push((code) => code >= low && code <= high)
      } else parts.push((code) => code === low)
    }
    at++
    return { accepts: (code) => parts.some((part) => part(code)) !== negated }
  }

  const atom = (): Atom => {
    const char = take()
    if (char === '\\') return { accepts: escape() }
    if (char === '[') return characterClass()
    if (char === '.') return { accepts: (code) => code !== 10 }
    if ('*+?{}]^$'.includes(char)) fail()
    const code = char.charCodeAt(0)
    return { accepts: (other) => other === code }
  }

  const quantifier = (): { min: number; max: number } => {
    const char = peek()
    if (char === '*' || char === '+' || char === '?') {
      at++
      return { min: char === '+' ? 1 : 0, max: char === '?' ? 1 : Number.POSITIVE_INFINITY }
    }
    if (char !== '{') return { min: 1, max: 1 }
    const found = /^\{(\d{1,4})(,(\d{0,4}))?\}/.exec(source.slice(at))
    if (!found) return fail()
    at += found[0].length
    const min = Number(found[1])
    const max = found[2] === undefined ? min : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3])
    if (min > MAX_REPEAT || max < min || (max !== Number.POSITIVE_INFINITY && max > MAX_REPEAT)) fail()
    return { min, max }
  }

  const branch = (): Branch => {
    const pieces: Piece[] = []
    const fromStart = peek() === '^'
    if (fromStart) at++
    let toEnd = false
    while (at < source.length && peek() !== '|') {
      if (peek() === '$' && (source[at + 1] === undefined || source[at + 1] === '|')) {
        toEnd = true
        at++
        break
      }
      pieces.push({ atom: atom(), ...quantifier() })
    }
    return { pieces, fromStart, toEnd }
  }

  return {
    parse(): readonly Branch[] {
      const branches = [branch()]
      while (peek() === '|') {
        at++
        branches.push(branch())
      }
      if (at < source.length) fail()
      return branches
    },
  }
}

/** Atoms in a row. State n means that the atoms before n have matched; state `atoms.length` is the end. */
interface Machine {
  readonly atoms: readonly ((code: number) => boolean)[]
  /** The atom may be left out, or repeated. */
  readonly optional: readonly boolean[]
  readonly repeats: readonly boolean[]
  readonly fromStart: boolean
  readonly toEnd: boolean
}

function compileBranch({ pieces, fromStart, toEnd }: Branch): Machine {
  const atoms: ((code: number) => boolean)[] = []
  const optional: boolean[] = []
  const repeats: boolean[] = []
  const add = (accepts: (code: number) => boolean, mayMiss: boolean, again: boolean) => {
    atoms.push(accepts)
    optional.push(mayMiss)
    repeats.push(again)
    if (atoms.length > MAX_STATES) fail()
  }
  for (const { atom, min, max } of pieces) {
    for (let count = 0; count < min; count++) add(atom.accepts, false, false)
    if (max === Number.POSITIVE_INFINITY) add(atom.accepts, true, true)
    else for (let count = min; count < max; count++) add(atom.accepts, true, false)
  }
  return { atoms, optional, repeats, fromStart, toEnd }
}

/** Active states as a list without duplicates, so that a character costs only as much as states are active. */
interface Active {
  readonly marked: Uint8Array
  readonly list: Int32Array
  count: number
}

const createActive = (size: number): Active => ({
  marked: new Uint8Array(size),
  list: new Int32Array(size),
  count: 0,
})

function clear(active: Active): void {
  for (let index = 0; index < active.count; index++) active.marked[active.list[index] ?? 0] = 0
  active.count = 0
}

function run({ atoms, optional, repeats, fromStart, toEnd }: Machine, text: string): boolean {
  const end = atoms.length
  let current = createActive(end + 1)
  let next = createActive(end + 1)
  /** With a state those behind it become active that its optional atoms lead to. */
  const enter = (active: Active, state: number) => {
    for (let at = state; at <= end && active.marked[at] === 0; at++) {
      active.marked[at] = 1
      active.list[active.count++] = at
      if (!optional[at]) return
    }
  }
  enter(current, 0)
  for (let index = 0; index < text.length; index++) {
    if (!toEnd && current.marked[end] === 1) return true
    if (fromStart && current.count === 0) return false
    const code = text.charCodeAt(index)
    clear(next)
    for (let active = 0; active < current.count; active++) {
      const state = current.list[active] ?? 0
      if (state === end || !atoms[state]?.(code)) continue
      enter(next, repeats[state] ? state : state + 1)
    }
    if (!fromStart) enter(next, 0)
    const done = current
    current = next
    next = done
  }
  return current.marked[end] === 1
}
