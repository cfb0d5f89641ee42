/** Makes the zip of a function from a file or directory, and guesses what it is. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join, relative } from 'node:path'

import { ZipFile } from 'yazl'

import { UsageError } from './command.ts'

export interface CodeGuess {
  readonly runtime: string
  readonly handler: string
}

/** Left out of packages: version control and what Lambent itself writes. */
const IGNORED = new Set(['.git', '.lambent', '.DS_Store', '__pycache__'])
/** What the API takes in a request (see contracts/limits.ts); checked there, guarded here against wrong directories. */
const MAX_FILES = 100_000

/** A fixed time makes the same files the same zip, so that an unchanged function keeps its CodeSha256. */
const EPOCH = new Date(Date.UTC(1980, 0, 1))

async function collect(
  zip: ZipFile,
  root: string,
  directory: string,
  count: { files: number },
): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true })
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (IGNORED.has(entry.name)) continue
    const path = join(directory, entry.name)
    // Links are followed: a package must stand on its own.
    const info = await stat(path)
    if (info.isDirectory()) await collect(zip, root, path, count)
    else if (info.isFile()) {
      if (++count.files > MAX_FILES)
        throw new UsageError(`${root} holds more than ${MAX_FILES} files: is it the right directory?`)
      const mode = info.mode & 0o111 ? 0o100755 : 0o100644
      zip.addFile(path, relative(root, path), { mtime: EPOCH, mode })
    }
  }
}

/** The zip's bytes: a `.zip` as it is, a single file or a whole directory packed. */
export async function packageCode(path: string): Promise<Buffer> {
  if (!existsSync(path)) throw new UsageError(`${path} does not exist`)
  const info = statSync(path)
  if (info.isFile() && extname(path) === '.zip') return readFileSync(path)
  const zip = new ZipFile()
  if (info.isFile())
    zip.addFile(path, basename(path), { mtime: EPOCH, mode: info.mode & 0o111 ? 0o100755 : 0o100644 })
  else await collect(zip, path, path, { files: 0 })
  zip.end()
  const chunks: Buffer[] = []
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** CodeSha256 as the API reports it. */
export const codeSha256 = (zip: Uint8Array) => createHash('sha256').update(zip).digest('base64')

const NODE_FILES = ['index.mjs', 'index.js', 'index.cjs', 'handler.mjs', 'handler.js', 'app.mjs', 'app.js']
const PYTHON_FILES = ['lambda_function.py', 'app.py', 'main.py', 'handler.py', 'index.py']

/** Guesses runtime and handler from the files, or returns undefined when nothing speaks for any. */
export function guessCode(path: string): CodeGuess | undefined {
  const single = existsSync(path) && statSync(path).isFile()
  if (single && extname(path) === '.zip') return undefined
  const has = (name: string) => (single ? basename(path) === name : existsSync(join(path, name)))
  const module = (name: string) => basename(name, extname(name))
  if (has('bootstrap')) return { runtime: 'provided.al2023', handler: 'bootstrap' }
  const nodeFile = NODE_FILES.find(has) ?? (single && /\.[cm]?js$/.test(path) ? basename(path) : undefined)
  if (nodeFile) return { runtime: 'nodejs24.x', handler: `${module(nodeFile)}.handler` }
  const pythonFile = PYTHON_FILES.find(has) ?? (single && path.endsWith('.py') ? basename(path) : undefined)
  if (pythonFile) {
    const source = readFileSync(single ? path : join(path, pythonFile), 'utf8')
    const name = /^def (lambda_handler|handler)\(/m.exec(source)?.[1] ?? 'lambda_handler'
    return { runtime: 'python3.11', handler: `${module(pythonFile)}.${name}` }
  }
  return undefined
}
