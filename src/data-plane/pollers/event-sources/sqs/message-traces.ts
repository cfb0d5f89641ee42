/** The traces that messages carry, and which of them an invocation continues. Pure. */
import { parseTraceHeader } from '#contracts/trace-header.ts'

import type { QueueMessage } from './queue-client.ts'

/** SQS keeps the tracing header of whoever sent the message in it. */
const headerOf = ({ Attributes }: QueueMessage) => Attributes?.['AWSTraceHeader']

const loopsOf = (message: QueueMessage) => parseTraceHeader(headerOf(message))?.lineage?.loops ?? 0

/**
 * A batch in the parts that are invoked one by one: messages that go round in circles apart from the others, which must
 * not be refused together with them. An ordered batch stays whole, as its order has to.
 */
export function partsOf<Item extends { readonly message: QueueMessage }>(
  items: readonly Item[],
  isOrdered: boolean,
): readonly (readonly Item[])[] {
  const circling = isOrdered ? [] : items.filter(({ message }) => loopsOf(message) > 0)
  if (circling.length === 0) return [items]
  return [items.filter((item) => !circling.includes(item)), circling].filter((part) => part.length > 0)
}

/** The header of the message that has come around most often; the first one's when none has. */
export function traceOf(messages: readonly QueueMessage[]): string | undefined {
  const traced = messages.filter((message) => headerOf(message) !== undefined)
  const [first] = traced.toSorted((one, other) => loopsOf(other) - loopsOf(one))
  return first && headerOf(first)
}
