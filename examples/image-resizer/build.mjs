import { join } from 'node:path'

import { entriesOf, fileEntry, here, needTool, run, writeZip } from '../build-tools.mjs'

const folder = here(import.meta.url)
const npm = needTool('npm', 'the image resizer gets sharp from the npm registry')
// sharp's binaries are packages of their own, one for each platform; no install script has to run.
run(npm, ['ci', '--omit=dev', '--ignore-scripts', '--no-fund', '--no-audit'], { cwd: folder })
const exclude = (name) => name === 'node_modules/.bin' || name === 'node_modules/.package-lock.json'
writeZip(join(folder, 'build/function.zip'), [
  fileEntry(join(folder, 'index.mjs'), 'index.mjs'),
  fileEntry(join(folder, 'package.json'), 'package.json'),
  ...entriesOf(join(folder, 'node_modules'), { prefix: 'node_modules/', exclude }),
])
