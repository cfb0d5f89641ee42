import type { Command, CommandContext } from '../command.ts'
import { size, table } from '../table.ts'
import type { FunctionConfiguration } from '../wait.ts'

/** All functions, page by page. */
export async function listFunctions({
  client,
}: Pick<CommandContext, 'client'>): Promise<FunctionConfiguration[]> {
  const functions: FunctionConfiguration[] = []
  let marker: string | undefined
  do {
    const query = marker === undefined ? '' : `?Marker=${encodeURIComponent(marker)}`
    const page = await client.json<{ Functions: FunctionConfiguration[]; NextMarker?: string | null }>(
      'GET',
      `/2015-03-31/functions${query}`,
    )
    functions.push(...page.Functions)
    marker = page.NextMarker ?? undefined
  } while (marker !== undefined)
  return functions
}

export const listCommand: Command = {
  name: 'list',
  usage: '',
  summary: 'Lists the functions.',
  positionals: { min: 0, max: 0 },
  options: {},
  examples: ['lambent list', 'lambent list --json | jq -r .[].FunctionName'],
  async run(context) {
    const { out } = context
    const functions = await listFunctions(context)
    if (out.isJson) out.json(functions)
    else if (functions.length === 0) out.note('No functions yet. Deploy one: lambent deploy ./my-function')
    else {
      const rows = functions.map((config) => [
        config.FunctionName,
        config.Runtime ?? 'image',
        config.Handler ?? '',
        `${config.MemorySize} MB`,
        `${config.Timeout} s`,
        size(config.CodeSize),
        config.LastModified.slice(0, 19),
      ])
      out.line(table(['NAME', 'RUNTIME', 'HANDLER', 'MEMORY', 'TIMEOUT', 'CODE', 'MODIFIED'], rows))
    }
    return 0
  },
}
