/** Holds the imports against the table in .dependency-cruiser.mjs. */
import { readImports } from './import-graph.ts'

const { summary } = await readImports()
for (const violation of summary.violations) {
  process.stderr.write(`${violation.rule.name}: ${violation.from} -> ${violation.to}\n`)
}
if (summary.violations.length > 0) process.exitCode = 1
else
  process.stdout.write(
    `${summary.totalCruised} modules, ${summary.totalDependenciesCruised} imports: as the table says\n`,
  )
