/** JSON of requests: an object, or what is wrong with it as AWS's parser says it. Pure. */
import { createJsonTokens, PatternError } from '#contracts/event-pattern/json-tokens.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** SNS stopped repeating the text in its errors between 2024 and 2025 (both recorded). */
export const withoutSource = (message: string) =>
  message.replaceAll(
    /\n at \[Source: \(String\)[\s\S]*?; line: (\d+), column: (\d+)\]/g,
    '\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: $1, column: $2]',
  )

type ParsedObject = { readonly json: JsonObject } | { readonly json?: never; readonly problem: string }

export function parseObject(text: string): ParsedObject {
  try {
    const json = JSON.parse(text) as unknown
    // Text unverified.
    if (json === null || typeof json !== 'object' || Array.isArray(json))
      return { problem: 'failed to parse JSON. Not a JSON object' }
    return { json: json as JsonObject }
  } catch {
    return { problem: `failed to parse JSON. ${problemOf(text)}` }
  }
}

function problemOf(text: string): string {
  const tokens = createJsonTokens(text)
  try {
    for (;;) tokens.next()
  } catch (error) {
    if (error instanceof PatternError) return withoutSource(error.message)
    throw error
  }
}
