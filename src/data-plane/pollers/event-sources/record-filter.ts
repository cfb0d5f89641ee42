/** A mapping's filters on records. Pure. */
import { compilePattern } from '#contracts/event-pattern/event-pattern.ts'

/** Whether a record, given as JSON, passes. */
export type RecordFilter = (record: object) => boolean

/** A record passes that matches one pattern; without patterns every one does. Patterns were checked when they were set. */
export function createRecordFilter(patterns: readonly string[] | undefined): RecordFilter {
  if (!patterns || patterns.length === 0) return () => true
  const compiled = patterns.map(compilePattern)
  return (record) => compiled.some((pattern) => pattern.matches(record))
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
