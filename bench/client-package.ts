/** A function with @aws-sdk/client-s3 and all that it needs, as `npm install` leaves them. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SOURCE = `const { S3Client } = require('@aws-sdk/client-s3')
const client = new S3Client({})
exports.handler = async (event) => ({ message: 'hello ' + event.name, client: typeof client.send })
`

/** Directory of an installed package. */
function find(name: string, from: string): string {
  for (let at = from; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name)
    try {
      readFileSync(join(candidate, 'package.json'))
      return candidate
    } catch {
      if (at === dirname(at)) throw new Error(`${name} is not installed`)
    }
  }
}

export function packageWithClient(directory: string): string {
  const root = dirname(fileURLToPath(import.meta.resolve('@aws-sdk/client-s3')))
  const copied = new Set<string>()
  const copy = (name: string, from: string) => {
    if (copied.has(name)) return
    copied.add(name)
    const source = find(name, from)
    cpSync(source, join(directory, 'node_modules', name), {
      recursive: true,
      dereference: true,
      // Types and maps are no part of what runs.
      filter: (path) => !/\.(d\.ts|map)$/.test(path),
    })
    const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as {
      readonly dependencies?: Readonly<Record<string, string>>
    }
    for (const dependency of Object.keys(manifest.dependencies ?? {})) copy(dependency, source)
  }
  mkdirSync(directory, { recursive: true })
  copy('@aws-sdk/client-s3', root)
  writeFileSync(join(directory, 'index.js'), SOURCE)
  return directory
}
