/** Root file systems of container images, made of programs that this machine has. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, linkSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Puts programs, and the libraries that they are linked to, where they are on this machine. */
export function installPrograms(root: string, programs: readonly string[]): void {
  for (const program of programs) {
    for (const file of [program, ...librariesOf(program)]) install(root, file)
  }
}

/** Where `installNode` puts Node: this checkout may lie in a directory that guests have of their own, such as /tmp. */
export const IMAGE_NODE = '/usr/local/bin/node'

/** Puts this very Node, and the libraries that it is linked to, into an image. */
export function installNode(root: string): void {
  for (const file of librariesOf(process.execPath)) install(root, file)
  install(root, process.execPath, IMAGE_NODE)
}

function librariesOf(program: string): readonly string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' })
  return [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map((found) => found[1] ?? '')
}

function install(root: string, file: string, place = file): void {
  const target = join(root, place)
  if (existsSync(target)) return
  mkdirSync(dirname(target), { recursive: true, mode: 0o755 })
  const source = realpathSync(file)
  try {
    linkSync(source, target)
  } catch {
    copyFileSync(source, target)
  }
}
