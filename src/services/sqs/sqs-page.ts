/** SQS's lists: at most a thousand, and a token only for who asks for pages. */
import { invalidParameter, invalidValue } from './sqs-errors.ts'

const MAX_RESULTS = 1000

/** `keyOf` must grow along the list. */
export function pageOf<Item>(
  all: readonly Item[],
  keyOf: (item: Item) => string,
  {
    MaxResults,
    NextToken,
  }: { readonly MaxResults?: number | undefined; readonly NextToken?: string | undefined },
): { readonly items: readonly Item[]; readonly next: string | undefined } {
  if (MaxResults !== undefined && !(MaxResults >= 1 && MaxResults <= MAX_RESULTS)) {
    // Text unverified.
    throw invalidValue(
      MaxResults,
      'MaxResults',
      `MaxResults must be an integer between 1 and ${MAX_RESULTS}.`,
    )
  }
  const after = NextToken === undefined ? '' : Buffer.from(NextToken, 'base64url').toString()
  if (NextToken !== undefined && Buffer.from(after).toString('base64url') !== NextToken) {
    // Text unverified.
    throw invalidParameter('Invalid or expired next token.')
  }
  const rest = after === '' ? all : all.filter((item) => keyOf(item) > after)
  const items = rest.slice(0, MaxResults ?? MAX_RESULTS)
  const last = items.at(-1)
  const hasMore = MaxResults !== undefined && last !== undefined && items.length < rest.length
  return { items, next: hasMore ? Buffer.from(keyOf(last)).toString('base64url') : undefined }
}
