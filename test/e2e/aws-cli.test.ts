/** The AWS CLI, as a user types it: PyPI's version 1 and, where Debian's package is installed, version 2. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'

import { eventually, zipOf } from '../support/clients.ts'
import { clientEnvironment, pythonClients } from '../support/python-clients.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'

const run = promisify(execFile)
const DEBIAN_CLI = '/usr/bin/aws'

const pypi = pythonClients()
const clis: readonly (readonly [string, string | undefined, string])[] = [
  [
    'the AWS CLI of PyPI',
    typeof pypi === 'string' ? undefined : pypi.aws,
    typeof pypi === 'string' ? pypi : '',
  ],
  [
    'the AWS CLI of Debian',
    existsSync(DEBIAN_CLI) ? DEBIAN_CLI : undefined,
    'the Debian package awscli is not installed',
  ],
]

for (const [name, command, whyNot] of clis) {
  test(`${name} deploys, waits, invokes, tails the log and deletes`, async (t) => {
    if (command === undefined) return t.skip(whyNot)
    const directory = await temporaryDirectory(t)
    const program = await startProgram()
    t.after(() => program.stop())
    const env = clientEnvironment(program.endpoint)
    // Version 2 of Debian is older than the variable for the endpoint, so it gets the flag.
    const version = (await run(command, ['--version'], { env })).stdout
    const isV2 = version.startsWith('aws-cli/2')
    const endpoint = isV2 ? ['--endpoint-url', program.endpoint] : []
    const aws = async (...args: string[]) =>
      (await run(command, [...args, ...endpoint], { env, timeout: 60_000 })).stdout
    const binary = isV2 ? ['--cli-binary-format', 'raw-in-base64-out'] : []

    writeFileSync(
      join(directory, 'hello.zip'),
      await zipOf({
        'index.mjs': `export const handler = async (event) => { console.log('seen', event.name); return 'Hello, ' + event.name }`,
      }),
    )
    const created = JSON.parse(
      await aws(
        'lambda',
        'create-function',
        '--function-name',
        'hello',
        '--runtime',
        'nodejs26.x',
        '--handler',
        'index.handler',
        '--role',
        'arn:aws:iam::000000000000:role/lambda',
        '--zip-file',
        `fileb://${directory}/hello.zip`,
      ),
    ) as { State: string }
    assert.equal(created.State, 'Pending')
    await aws('lambda', 'wait', isV2 ? 'function-active' : 'function-active-v2', '--function-name', 'hello')
    const out = join(directory, 'out.json')
    const invoked = JSON.parse(
      await aws(
        'lambda',
        'invoke',
        '--function-name',
        'hello',
        '--payload',
        '{"name": "Ada"}',
        ...binary,
        out,
      ),
    ) as object
    assert.deepEqual(invoked, { StatusCode: 200, ExecutedVersion: '$LATEST' })
    assert.equal(readFileSync(out, 'utf8'), '"Hello, Ada"')
    const listed = JSON.parse(await aws('lambda', 'list-functions')) as {
      Functions: { FunctionName: string }[]
    }
    assert.deepEqual(
      listed.Functions.map((entry) => entry.FunctionName),
      ['hello'],
    )
    await assert.rejects(
      aws('lambda', 'get-function', '--function-name', 'nobody'),
      (error: Error & { stderr: string }) => {
        assert.match(
          error.stderr,
          /An error occurred \(ResourceNotFoundException\) when calling the GetFunction operation: Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody/,
        )
        return true
      },
    )

    if (isV2) {
      const tail = spawn(
        command,
        ['logs', 'tail', '/aws/lambda/hello', '--follow', '--format', 'short', ...endpoint],
        { env },
      )
      t.after(() => void tail.kill('SIGKILL'))
      let shown = ''
      tail.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString()))
      await eventually('the tail shows the first invocation', () =>
        Promise.resolve(shown.includes('seen Ada') || undefined),
      )
      await aws(
        'lambda',
        'invoke',
        '--function-name',
        'hello',
        '--payload',
        '{"name": "Grace"}',
        ...binary,
        out,
      )
      await eventually('the tail shows what comes later', () =>
        Promise.resolve(shown.includes('seen Grace') || undefined),
      )
      assert.equal(shown.split('seen Ada').length, 2, 'nothing is shown twice')
    } else {
      const found = JSON.parse(
        await eventually('the log is there', async () => {
          const text = await aws('logs', 'filter-log-events', '--log-group-name', '/aws/lambda/hello').catch(
            () => '{"events":[]}',
          )
          return text.includes('seen Ada') ? text : undefined
        }),
      ) as { events: { message: string }[] }
      assert.ok(found.events.some(({ message }) => message.startsWith('START RequestId: ')))
    }
    await aws('lambda', 'delete-function', '--function-name', 'hello')
    assert.deepEqual(JSON.parse(await aws('lambda', 'list-functions')), { Functions: [] })
  })
}
