import { ApiError } from '../client.ts'
import { UsageError, type Command, type CommandContext } from '../command.ts'

interface FilteredEvent {
  readonly eventId: string
  readonly timestamp: number
  readonly message: string
  readonly logStreamName: string
}
interface FilterAnswer {
  readonly events?: readonly FilteredEvent[]
  readonly nextToken?: string
}

const UNITS_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const FOLLOW_MS = 500
/** Events already shown that are remembered while following; older ones fall out. */
const MAX_SEEN = 20_000

/** `10m`, `2h`, or an ISO time, as wall-clock milliseconds. */
function since(text: string, now: number): number {
  const relative = /^(\d+)([smhd])$/.exec(text)
  if (relative) return now - Number(relative[1]) * (UNITS_MS[relative[2] ?? 's'] ?? 0)
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw new UsageError(`--since takes 30s, 10m, 2h, 1d or an ISO time, not ${JSON.stringify(text)}`)
  return time
}

async function* events(
  { client, signal }: CommandContext,
  query: {
    readonly group: string
    readonly from: number
    readonly filter: string | undefined
    readonly follow: boolean
  },
): AsyncGenerator<FilteredEvent> {
  const seen = new Set<string>()
  let from = query.from
  for (;;) {
    let token: string | undefined
    do {
      const page: FilterAnswer = await client
        .logs<FilterAnswer>('FilterLogEvents', {
          logGroupName: query.group,
          startTime: from,
          interleaved: true,
          ...(query.filter === undefined ? {} : { filterPattern: query.filter }),
          ...(token === undefined ? {} : { nextToken: token }),
        })
        .catch((error: unknown) => {
          // The group appears with the first invocation: while following, that is worth waiting for.
          if (query.follow && error instanceof ApiError && error.code === 'ResourceNotFoundException')
            return {}
          throw error
        })
      for (const event of page.events ?? []) {
        if (seen.has(event.eventId)) continue
        seen.add(event.eventId)
        from = Math.max(from, event.timestamp)
        yield event
      }
      token = page.nextToken
    } while (token !== undefined)
    if (!query.follow || signal.aborted) return
    for (const id of seen) {
      if (seen.size <= MAX_SEEN) break
      seen.delete(id)
    }
    await new Promise((resolve) => setTimeout(resolve, FOLLOW_MS))
    if (signal.aborted) return
  }
}

export const logsCommand: Command = {
  name: 'logs',
  usage: 'NAME',
  summary: "Prints a function's log; with --follow as it grows.",
  positionals: { min: 1, max: 1 },
  options: {
    follow: { type: 'boolean', short: 'f', help: 'go on until Ctrl-C' },
    since: {
      type: 'string',
      short: 's',
      value: 'TIME',
      help: 'how far back: 30s, 10m, 2h, 1d or an ISO time [10m]',
    },
    filter: { type: 'string', value: 'PATTERN', help: 'CloudWatch filter pattern' },
    group: { type: 'boolean', help: 'NAME is the name of a log group' },
  },
  examples: [
    'lambent logs hello',
    'lambent logs hello -f',
    'lambent logs orders --since 2h --filter ERROR',
    `lambent logs orders --since 1d --filter '{ $.level = "ERROR" }' --json`,
  ],
  async run(context) {
    const { positionals, values, out } = context
    const name = positionals[0] ?? ''
    const group = values['group'] ? name : `/aws/lambda/${name}`
    const query = {
      group,
      from: since((values['since'] as string | undefined) ?? '10m', Date.now()),
      filter: values['filter'] as string | undefined,
      follow: values['follow'] === true,
    }
    let shown = 0
    for await (const event of events(context, query)) {
      shown++
      if (out.isJson) out.json(event)
      else out.line(`${new Date(event.timestamp).toISOString()} ${event.message.trimEnd()}`)
    }
    if (shown === 0) out.note('No events in that time; --since 1d looks further back')
    return 0
  },
}
