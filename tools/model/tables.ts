/** Reads the tab-separated tables of this folder. The first line names the columns. */

export type Row = Readonly<Record<string, string>>

export function parseTable(text: string): readonly Row[] {
  const [head = '', ...lines] = text.split('\n').filter((line) => line !== '')
  const columns = head.split('\t')
  return lines.map((line) => {
    const cells = line.split('\t')
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']))
  })
}
