// npm start: installs what is missing, then `lambent up` with the arguments after `--`.
import { spawn } from 'node:child_process'
import { join } from 'node:path'

import { root, say, setup } from './setup.mjs'

try {
  setup()
} catch (error) {
  say(error.message)
  process.exit(1)
}
const child = spawn(process.execPath, [join(root, 'bin/lambent.mjs'), 'up', ...process.argv.slice(2)], {
  stdio: 'inherit',
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  })
}
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
