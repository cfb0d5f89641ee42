/** The tracing header X-Amzn-Trace-Id: `Root=1-SECONDS-ID;Parent=ID;Sampled=1;Lineage=...`, each part optional. */

export interface TraceHeader {
  /** `1-` and 8 and 24 hexadecimal digits. */
  readonly root: string
  /** 16 hexadecimal digits: the segment that the next one is a part of. */
  readonly parent?: string
  /** Undefined: nobody has decided yet. */
  readonly sampled?: boolean
  readonly lineage?: Lineage
}

/**
 * How often a chain of requests has come through the same function. Form as AWS sends it (seen): the number of requests,
 * the function that is watched, and how often it has come again: `Lineage=5:a87bd80c:2`.
 */
export interface Lineage {
  readonly requests: number
  /** 8 hexadecimal digits that stand for a function. */
  readonly marker: string
  readonly loops: number
}

/** Longest header that is looked at (API model: TraceHeader has at most 8,192 characters; real ones have a hundred). */
const MAX_CHARACTERS = 1024
const ROOT = /^1-[0-9a-f]{8}-[0-9a-f]{24}$/
const PARENT = /^[0-9a-f]{16}$/
const LINEAGE = /^(\d{1,5}):([0-9a-f]{8}):(\d{1,3})$/

/** What can be used of a header that a client has sent; undefined when it names no trace. Parts that make no sense are left out. */
export function parseTraceHeader(text: string | undefined): TraceHeader | undefined {
  if (text === undefined || text.length > MAX_CHARACTERS) return undefined
  const parts: Record<'Root' | 'Parent' | 'Sampled' | 'Lineage', string> = {
    Root: '',
    Parent: '',
    Sampled: '',
    Lineage: '',
  }
  for (const part of text.split(';')) {
    const at = part.indexOf('=')
    const name = part.slice(0, Math.max(0, at)).trim()
    if (name === 'Root' || name === 'Parent' || name === 'Sampled' || name === 'Lineage') {
      parts[name] = part.slice(at + 1).trim()
    }
  }
  if (!ROOT.test(parts.Root)) return undefined
  const [, requests, marker = '', loops] = LINEAGE.exec(parts.Lineage) ?? []
  return {
    root: parts.Root,
    ...(PARENT.test(parts.Parent) && { parent: parts.Parent }),
    ...((parts.Sampled === '0' || parts.Sampled === '1') && { sampled: parts.Sampled === '1' }),
    ...(requests !== undefined && {
      lineage: { requests: Number(requests), marker, loops: Number(loops) },
    }),
  }
}

const lineageText = ({ requests, marker, loops }: Lineage) => `${requests}:${marker}:${loops}`

export function formatTraceHeader({ root, parent, sampled, lineage }: TraceHeader): string {
  let text = `Root=${root}`
  if (parent !== undefined) text += `;Parent=${parent}`
  if (sampled !== undefined) text += `;Sampled=${sampled ? 1 : 0}`
  if (lineage) text += `;Lineage=${lineageText(lineage)}`
  return text
}

/** The same as AWS's answers carry it: small letters, and no parent (seen). */
export function formatAnswerHeader({ root, sampled = false, lineage }: TraceHeader): string {
  return `root=${root};sampled=${sampled ? 1 : 0}${lineage ? `;lineage=${lineageText(lineage)}` : ''}`
}

/** `random` is 24 hexadecimal digits. */
export const newTraceRoot = (nowMs: number, random: string) =>
  `1-${Math.floor(nowMs / 1000)
    .toString(16)
    .padStart(8, '0')}-${random}`
