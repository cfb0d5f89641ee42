import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

import { clientEnvironment, pythonClients } from '../support/python-clients.ts'
import { startProgram } from '../support/program.ts'

test('boto3 does the main job with nothing but AWS_ENDPOINT_URL set', async (t) => {
  const clients = pythonClients()
  if (typeof clients === 'string') return t.skip(clients)
  const program = await startProgram()
  t.after(() => program.stop())
  const { stdout } = await promisify(execFile)(
    clients.python,
    [join(import.meta.dirname, 'boto3_main_job.py')],
    { env: clientEnvironment(program.endpoint), timeout: 120_000 },
  )
  assert.match(stdout, /all as expected/)
})
