/** Functions that were Active, and whose package or runtime the host has lost since. */
// parity: Invoke/InvalidZipFileException InvokeWithResponseStream/InvalidZipFileException
// parity: Invoke/InvalidRuntimeException InvokeWithResponseStream/InvalidRuntimeException
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'

import { InvokeWithResponseStreamCommand, type LambdaClient } from '@aws-sdk/client-lambda'

import { createFunction, errorOf, invoke, lambdaClient } from '../support/clients.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

const FunctionName = 'fn'
const bothRefusals = async (lambda: LambdaClient) => [
  await errorOf(invoke(lambda, FunctionName, {})),
  await errorOf(lambda.send(new InvokeWithResponseStreamCommand({ FunctionName }))),
]

test('a package that is damaged in the store', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  let program = await startProgram({ dataDirectory, args: ['--pool-memory', '0'] })
  t.after(() => program.stop())
  await createFunction(lambdaClient(program.endpoint), {
    FunctionName,
    files: { 'index.mjs': 'export const handler = async () => 1' },
  })
  await program.stop()
  const store = join(dataDirectory, 'store')
  const packages = readdirSync(store, { recursive: true, encoding: 'utf8' })
    .map((name) => join(store, name))
    .filter(
      (path) => statSync(path).isFile() && readFileSync(path).subarray(0, 4).toString() === 'PK\u0003\u0004',
    )
  assert.equal(packages.length, 1)
  await chmod(packages[0] ?? '', 0o600)
  await writeFile(packages[0] ?? '', 'PK and nothing else')
  // What was unpacked of it is only a copy.
  rmSync(join(dataDirectory, 'cache'), { recursive: true })

  program = await startProgram({ dataDirectory, args: ['--pool-memory', '0'] })
  for (const { name, status } of await bothRefusals(lambdaClient(program.endpoint))) {
    assert.deepEqual([name, status], ['InvalidZipFileException', 502])
  }
})

test('a runtime that was taken from the host', async (t) => {
  const dataDirectory = await temporaryDirectory(t)
  // Found and asked for its version, but never started: all that matters is that it goes away.
  const prefix = join(dataDirectory, 'host/python')
  const python = join(prefix, 'bin/python3.15')
  await mkdir(join(prefix, 'bin'), { recursive: true })
  await writeFile(python, `#!/bin/sh\necho '["3.15.0", "${prefix}"]'\n`, { mode: 0o755 })
  const args = ['--pool-memory', '0']
  let program = await startProgram({
    dataDirectory,
    args,
    env: { PATH: `${prefix}/bin:${process.env['PATH']}` },
  })
  t.after(() => program.stop())
  await createFunction(lambdaClient(program.endpoint), {
    FunctionName,
    Runtime: 'python3.15',
    files: { 'index.py': 'def handler(event, context): return 1' },
  })
  await program.stop()
  rmSync(prefix, { recursive: true })

  program = await startProgram({ dataDirectory, args })
  for (const { name, status, message } of await bothRefusals(lambdaClient(program.endpoint))) {
    assert.deepEqual([name, status], ['InvalidRuntimeException', 502])
    assert.match(message, /^The runtime python3\.15 is not available on this host\. /)
  }
})
