import { join } from 'node:path'

import { fileEntry, here, needTool, run, writeZip } from '../build-tools.mjs'

const folder = here(import.meta.url)
const cargo = needTool('cargo', 'the Rust example needs Rust 1.85 or later (https://rustup.rs)')
run(cargo, ['build', '--release', '--locked'], { cwd: folder, env: { CARGO_TARGET_DIR: join(folder, 'target') } })
writeZip(join(folder, 'build/function.zip'), [
  fileEntry(join(folder, 'target/release/bootstrap'), 'bootstrap', { executable: true }),
])
