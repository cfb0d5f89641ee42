/** Makes the directory of an image: real directories, symbolic links, and files that are hard links to those of layers. */
import { chmodSync, constants, copyFileSync, linkSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'

import type { DirectoryNode } from './image-tree.ts'
import { contentPath } from './layer-entry.ts'

const NODES_PER_TURN = 64

/** `root` must exist and be empty. Every parent is a directory made here, so no path leads through a link. */
export async function writeTree(
  tree: DirectoryNode,
  root: string,
  layerDirectories: readonly string[],
): Promise<{ readonly fileBytes: number }> {
  let fileBytes = 0
  let written = 0
  chmodSync(root, tree.mode)
  const waiting: { readonly node: DirectoryNode; readonly path: string }[] = [{ node: tree, path: root }]
  for (let at = waiting.pop(); at; at = waiting.pop()) {
    for (const [name, node] of at.node.children) {
      const path = join(at.path, name)
      if (node.kind === 'directory') {
        mkdirSync(path, { mode: 0o700 })
        // Whatever the umask takes away comes back.
        chmodSync(path, node.mode)
        waiting.push({ node, path })
      } else if (node.kind === 'symlink') symlinkSync(node.target, path)
      else {
        link(join(layerDirectories[node.layer] ?? '', contentPath(node.number)), path)
        fileBytes += node.sizeBytes
      }
      if (++written % NODES_PER_TURN === 0) await nextTurn()
    }
  }
  return { fileBytes }
}

/** A file takes no more links than its file system allows (65,000 on ext4); then the next image gets a copy. */
function link(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMLINK') throw error
    copyFileSync(from, to, constants.COPYFILE_FICLONE)
  }
}
