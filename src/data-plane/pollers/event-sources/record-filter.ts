/** A mapping's filters on records. Pure. */
import { matchesPattern } from '#contracts/event-pattern/match-pattern.ts'
import { parsePattern } from '#contracts/event-pattern/parse-pattern.ts'

/** Whether a record, given as JSON, passes. */
export type RecordFilter = (record: object) => boolean

/** A record passes that matches one pattern; without patterns every one does. Patterns were checked when they were set. */
export function createRecordFilter(patterns: readonly string[] | undefined): RecordFilter {
  if (!patterns || patterns.length === 0) return () => true
  const compiled = patterns.map((text) => {
    const pattern = parsePattern(text)
    if (!pattern) throw new Error('A filter in the store is no event pattern')
    return pattern
  })
  return (record) => compiled.some((pattern) => matchesPattern(pattern, record))
}

/**
 * The data of a record as filters see it: JSON where the text is an object or a list, else the text itself. So a pattern
 * for JSON drops plain texts, and one for texts drops JSON (developer guide, "Properly filtering").
 */
export function filteredData(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return text
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text
  }
}
