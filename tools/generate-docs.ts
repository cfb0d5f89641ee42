/**
 * Writes the parts of the documents that are made from code. With --check it writes nothing and fails when one is
 * out of date. A part stands between `<!-- generated: NAME -->` and `<!-- end -->`.
 */
import { readFileSync, writeFileSync } from 'node:fs'

import { importGraph, readImports } from './import-graph.ts'

const check = process.argv.includes('--check')

const parts: readonly {
  readonly file: string
  readonly name: string
  readonly text: () => Promise<string> | string
}[] = [{ file: 'ARCHITECTURE.md', name: 'imports', text: async () => importGraph(await readImports()) }]

let stale = 0
for (const part of parts) {
  const before = readFileSync(part.file, 'utf8')
  const open = `<!-- generated: ${part.name} -->`
  const start = before.indexOf(open)
  const end = before.indexOf('<!-- end -->', start)
  if (start < 0 || end < 0) throw new Error(`${part.file} has no place for the generated part "${part.name}"`)
  const after = `${before.slice(0, start + open.length)}\n${await part.text()}\n${before.slice(end)}`
  if (after === before) continue
  stale++
  if (check) process.stderr.write(`${part.file}: the part "${part.name}" is out of date; run npm run docs\n`)
  else writeFileSync(part.file, after)
}
if (check && stale > 0) process.exitCode = 1
else process.stdout.write(`${parts.length} generated parts, ${check ? 'up to date' : `${stale} written`}\n`)
