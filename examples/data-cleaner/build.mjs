import { join } from 'node:path'

import { entriesOf, fileEntry, freshDirectory, here, needTool, run, writeZip } from '../build-tools.mjs'

const folder = here(import.meta.url)
const python = needTool('python3', 'the layer of the Python example is put together by pip')
const layer = freshDirectory(join(folder, 'build/layer'))
// All packages are pure Python: the layer serves every Python version and every machine.
run(
  python,
  ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--root-user-action', 'ignore', '--no-deps', '--only-binary', ':all:', '--no-compile', '--target', join(layer, 'python'), '-r', 'requirements.txt'],
  { cwd: folder },
)
const exclude = (name) => name.endsWith('.pyc') || name.endsWith('__pycache__') || name === 'python/bin'
writeZip(join(folder, 'build/layer.zip'), entriesOf(layer, { exclude }))
writeZip(join(folder, 'build/function.zip'), [fileEntry(join(folder, 'app.py'), 'app.py')])
