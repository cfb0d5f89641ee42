/** The imports of src and cli, read once for the table's check and for the graph in ARCHITECTURE.md. */
import { globSync } from 'node:fs'

import { cruise, type ICruiseResult } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'

// @ts-expect-error A configuration file without types.
import config from '../.dependency-cruiser.mjs'

/**
 * Reads every module. Throws when fewer modules were read than there are files: without TypeScript's JavaScript API
 * the tool reads nothing and is content, and that must not pass for success.
 */
export async function readImports(): Promise<ICruiseResult> {
  const sources = globSync('{src,cli}/**/*.ts')
  const { forbidden, allowed, allowedSeverity, options } = config
  const { output } = await cruise(
    ['src', 'cli'],
    { ...options, ruleSet: { forbidden, allowed, allowedSeverity }, validate: true },
    { ...options.enhancedResolveOptions },
    { tsConfig: extractTSConfig('tsconfig.json') },
  )
  const result = output as ICruiseResult
  if (result.summary.totalCruised < sources.length) {
    throw new Error(
      `Only ${result.summary.totalCruised} modules were read, but there are ${sources.length} files`,
    )
  }
  return result
}

/** `src/data-plane/worker/x.ts` -> `data-plane/worker`; undefined for what is not ours. */
function component(path: string): string | undefined {
  const [top, first, second] = path.split('/')
  if (top === 'cli') return 'cli'
  if (top !== 'src' || first === undefined) return undefined
  return first === 'data-plane' || first === 'services' ? `${first}/${second}` : first
}

/** A Mermaid flowchart of which component imports which; tests are left out. */
export function importGraph(result: ICruiseResult): string {
  const arrows = new Set<string>()
  for (const module of result.modules) {
    const from = component(module.source)
    if (from === undefined || module.source.endsWith('.test.ts')) continue
    for (const dependency of module.dependencies) {
      const to = component(dependency.resolved)
      // Everybody may use kernel and contracts: arrows to them would hide the rest.
      if (to === undefined || to === from || to === 'kernel' || to === 'contracts' || from === 'bin') continue
      arrows.add(`  ${from.replaceAll('/', '_')}["${from}"] --> ${to.replaceAll('/', '_')}["${to}"]`)
    }
  }
  return ['```mermaid', 'flowchart TD', ...[...arrows].toSorted(), '```'].join('\n')
}
