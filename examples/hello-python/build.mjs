import { join } from 'node:path'

import { fileEntry, here, writeZip } from '../build-tools.mjs'

const folder = here(import.meta.url)
writeZip(join(folder, 'build/function.zip'), [fileEntry(join(folder, 'app.py'), 'app.py')])
