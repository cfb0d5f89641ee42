/** Holds the imports against the table in .dependency-cruiser.mjs, and makes sure that it really read the modules. */
import { globSync } from 'node:fs'

import { cruise, type ICruiseResult } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'

// @ts-expect-error A configuration file without types.
import config from '../.dependency-cruiser.mjs'

const sources = globSync('{src,cli}/**/*.ts')
const { forbidden, allowed, allowedSeverity, options } = config
const { output } = await cruise(
  ['src', 'cli'],
  { ...options, ruleSet: { forbidden, allowed, allowedSeverity }, validate: true },
  { ...options.enhancedResolveOptions },
  { tsConfig: extractTSConfig('tsconfig.json') },
)
const { summary } = output as ICruiseResult
for (const violation of summary.violations) {
  process.stderr.write(`${violation.rule.name}: ${violation.from} -> ${violation.to}\n`)
}
// Without TypeScript's JavaScript API the tool reads nothing and is content; that must not pass for success.
if (summary.totalCruised < sources.length) {
  process.stderr.write(
    `Only ${summary.totalCruised} modules were read, but there are ${sources.length} files\n`,
  )
  process.exitCode = 1
}
if (summary.violations.length > 0) process.exitCode = 1
else
  process.stdout.write(
    `${summary.totalCruised} modules, ${summary.totalDependenciesCruised} imports: as the table says\n`,
  )
