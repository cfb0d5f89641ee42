/** Every way a function can misbehave (test/support/bad-guests.ts), under every driver of this machine. */
// parity: Invoke
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import {
  CreateFunctionCommand,
  GetFunctionConfigurationCommand,
  type LambdaClient,
  type Runtime,
} from '@aws-sdk/client-lambda'

import { invoke, lambdaClient, ROLE, zipOf } from '../support/clients.ts'
import {
  API_GUEST,
  BAD_GUESTS,
  dependsOnDriver,
  NODE_GUEST,
  PYTHON_GUEST,
  type BadGuest,
} from '../support/bad-guests.ts'
import { driversHere } from '../support/drivers.ts'
import { startProgram } from '../support/program.ts'

const GUESTS = {
  node: { files: NODE_GUEST, runtime: 'nodejs26.x' },
  python: { files: PYTHON_GUEST, runtime: 'python3.11' },
  api: { files: API_GUEST, runtime: 'provided.al2023' },
} as const
const MEMBERS = {
  node: ['errorType', 'errorMessage', 'trace'],
  python: ['errorMessage', 'errorType', 'requestId', 'stackTrace'],
}
/** As many at once as a small machine has cores: the timeouts are short. */
const AT_ONCE = 2
/** Nothing may take longer, whatever the function does. */
const HUNG_MS = 60_000

async function create(lambda: LambdaClient, bad: BadGuest, name: string) {
  const { files, runtime } = GUESTS[bad.guest]
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Role: ROLE,
      Runtime: runtime as Runtime,
      Handler: bad.handler ?? 'index.handler',
      Timeout: bad.timeoutSeconds ?? 10,
      MemorySize: 256,
      Environment: { Variables: { CASE: bad.name } },
      Code: { ZipFile: await zipOf(bad.files ?? files) },
    }),
  )
  for (;;) {
    const { State } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: name }))
    if (State === 'Active') return
    assert.equal(State, 'Pending')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function check(lambda: LambdaClient, bad: BadGuest) {
  const name = bad.name.replaceAll(/[^a-zA-Z0-9]/g, '-')
  await create(lambda, bad, name)
  const answer = await invoke(lambda, name, {}, { LogType: 'Tail' })
  assert.equal(answer.status, 200)
  if (bad.fails) {
    assert.equal(answer.functionError, 'Unhandled', answer.text.slice(0, 500))
    const { errorType, errorMessage } = answer.payload as { errorType: string; errorMessage: string }
    const [type, message] = bad.fails
    assert.equal(errorType, type, answer.text.slice(0, 500))
    // Documents of the platform name the request; the others are those of AWS's runtimes.
    const members = Object.keys(answer.payload as object)
    if (!/^RequestId|^Response payload/.test(errorMessage) && bad.guest !== 'api')
      assert.deepEqual(members, MEMBERS[bad.guest])
    if (message instanceof RegExp) assert.match(errorMessage, message)
    else assert.equal(errorMessage, message.replace('ID', answer.requestId))
  } else {
    assert.equal(answer.functionError, undefined, answer.text.slice(0, 500))
    assert.deepEqual(answer.payload, bad.answers)
  }
  if (bad.logs)
    assert.ok(
      answer.log.split(/\n(?! )/).some((line) => bad.logs?.test(line)) || bad.logs.test(answer.log),
      answer.log,
    )
  const next = await invoke(lambda, name, { good: true })
  if (bad.next === undefined) assert.equal(next.functionError, 'Unhandled')
  else assert.deepEqual([next.payload, next.functionError], [bad.next, undefined])
}

const drivers = await driversHere()
const strongest = drivers.find(({ whyNot }) => whyNot === undefined)?.driver
for (const { driver, whyNot } of drivers) {
  const isStrongest = driver === strongest
  describe(`bad guests under ${driver}`, { skip: whyNot ?? false, concurrency: AT_ONCE }, async () => {
    const program = whyNot === undefined ? await startProgram({ args: [`--driver=${driver}`] }) : undefined
    if (!program) return
    const lambda = lambdaClient(program.endpoint)
    const health = (await (await fetch(`${program.endpoint}/_lambent/health`)).json()) as {
      enforced: { memory: boolean }
    }
    let left = 0
    for (const bad of BAD_GUESTS.filter((each) => isStrongest || dependsOnDriver(each))) {
      const skip =
        (bad.needsMemoryLimit && !health.enforced.memory && 'memory is not limited') ||
        (bad.needsExactExit && driver === 'bubblewrap' && 'its exit codes carry signals')
      left++
      test(bad.name, { skip: skip || false, timeout: HUNG_MS }, async () => {
        try {
          await check(lambda, bad)
        } finally {
          if (--left === 0) await program.stop()
        }
      })
      if (skip) left--
    }
  })
}
