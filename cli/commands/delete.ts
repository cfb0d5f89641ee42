import type { Command } from '../command.ts'

export const deleteCommand: Command = {
  name: 'delete',
  usage: 'NAME...',
  summary: 'Deletes functions with all their versions and aliases. Their logs stay.',
  positionals: { min: 1, max: 100 },
  options: {
    qualifier: { type: 'string', short: 'q', value: 'VERSION', help: 'delete only this version' },
  },
  examples: ['lambent delete hello', 'lambent delete orders --qualifier 3', 'lambent delete a b c --json'],
  async run({ client, positionals, values, out }) {
    const query =
      values['qualifier'] === undefined ? '' : `?Qualifier=${encodeURIComponent(String(values['qualifier']))}`
    for (const name of positionals) {
      await client.rest('DELETE', `/2015-03-31/functions/${encodeURIComponent(name)}${query}`)
      if (!out.isJson) out.line(`${name} deleted`)
    }
    if (out.isJson) out.json({ Deleted: positionals })
    return 0
  },
}
