import { join } from 'node:path'

import { fileEntry, here, needTool, run, writeZip } from '../build-tools.mjs'

const folder = here(import.meta.url)
const go = needTool('go', 'the Go example needs Go 1.21 or later (https://go.dev/dl)')
// Without cgo the binary is static and runs on any Linux; without the old RPC server it is smaller.
run(go, ['build', '-trimpath', '-buildvcs=false', '-tags', 'lambda.norpc', '-ldflags', '-s -w', '-o', 'build/bootstrap', '.'], {
  cwd: folder,
  env: { CGO_ENABLED: '0', GOOS: 'linux', GOARCH: process.arch === 'arm64' ? 'arm64' : 'amd64' },
})
writeZip(join(folder, 'build/function.zip'), [
  fileEntry(join(folder, 'build/bootstrap'), 'bootstrap', { executable: true }),
])
