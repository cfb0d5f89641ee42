/** Root file systems of container images, made of programs that this machine has. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, linkSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Puts programs, and the libraries that they are linked to, where they are on this machine. */
export function installPrograms(root: string, programs: readonly string[]): void {
  for (const program of programs) {
    const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' })
    const libraries = [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map((found) => found[1] ?? '')
    for (const file of [program, ...libraries]) install(root, file)
  }
}

function install(root: string, file: string): void {
  const target = join(root, file)
  if (existsSync(target)) return
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 })
  const source = realpathSync(file)
  try {
    linkSync(source, target)
  } catch {
    copyFileSync(source, target)
  }
}
