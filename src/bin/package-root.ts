/** The directory of Lambent's package.json, from source and from emitted code alike. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

function find(): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  // dist/src/bin is three levels below it, src/bin two.
  for (let level = 0; level < 4; level++) {
    if (existsSync(join(directory, 'package.json')) && existsSync(join(directory, 'runtimes')))
      return directory
    directory = dirname(directory)
  }
  throw new Error('The package is incomplete: package.json or runtimes is missing beside the program')
}

export const packageRoot = find()
