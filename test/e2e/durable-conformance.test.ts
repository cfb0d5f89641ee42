/** AWS's conformance requirements of durable executions, run by AWS's SDK for JavaScript against the program. */
// parity: CheckpointDurableExecution GetDurableExecution GetDurableExecutionState GetDurableExecutionHistory
// parity: SendDurableExecutionCallbackSuccess SendDurableExecutionCallbackFailure
// parity: SendDurableExecutionCallbackHeartbeat StopDurableExecution
import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'

import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs'
import {
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
  type CreateFunctionCommandInput,
  type LambdaClient,
} from '@aws-sdk/client-lambda'

import { createFunction, eventually, lambdaClient, logsClient } from '../support/clients.ts'
import { durableRequirements, type Requirement } from '../support/durable-requirements.ts'
import { durableSdkForNode } from '../support/durable-sdks.ts'
import { matchHistory, withValues, type Bindings } from '../support/match-history.ts'
import { startProgram } from '../support/program.ts'

/** Instrumentation inside the SDK; nothing of it reaches the service. */
const LEFT_OUT = /^10-/
/** Executions under way at once: they mostly wait. */
const AT_ONCE = 16
const DEADLINE_MS = 90_000
const FLOWS = join(import.meta.dirname, 'durable-conformance')

const text = (value: unknown) => Buffer.from(JSON.stringify(value))
/** Spaced as Python writes it, which is how the histories show it. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  const members = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}: ${spaced(item)}`)
  return `{${members.join(', ')}}`
}

async function deploy(lambda: LambdaClient, sdk: Readonly<Record<string, Uint8Array>>) {
  const files: Record<string, Uint8Array> = { ...sdk }
  for (const name of await readdir(FLOWS)) files[name] = await readFile(join(FLOWS, name))
  const create = (FunctionName: string, TARGET: string, more: Partial<CreateFunctionCommandInput> = {}) =>
    createFunction(lambda, {
      FunctionName,
      Handler: 'handler.handler',
      Timeout: 60,
      MemorySize: 256,
      DurableConfig: { ExecutionTimeout: 7200, RetentionPeriodInDays: 1 },
      Environment: { Variables: { TARGET } },
      files,
      ...more,
    })
  await create('flows', '')
  const TenancyConfig = { TenantIsolationMode: 'PER_TENANT' } as const
  await Promise.all([
    create('echo', 'echo'),
    create('error', 'error'),
    create('tenants', 'echo', { TenancyConfig }),
  ])
}

const historyOf = async (lambda: LambdaClient, DurableExecutionArn: string) =>
  (
    await lambda.send(
      new GetDurableExecutionHistoryCommand({
        DurableExecutionArn,
        IncludeExecutionData: true,
        MaxItems: 1000,
      }),
    )
  ).Events ?? []

/** Does what the requirement says of callbacks, each once it is there, until the execution has ended. */
async function answerCallbacks(
  lambda: LambdaClient,
  arn: string,
  actions: NonNullable<Requirement['CallbackActions']>,
  hasEnded: () => boolean,
): Promise<void> {
  let left = [...actions]
  const seen = new Set<string>()
  const running: Promise<void>[] = []
  while (left.length > 0 && !hasEnded()) {
    for (const { EventType, Name, CallbackStartedDetails } of await historyOf(lambda, arn)) {
      const CallbackId = CallbackStartedDetails?.CallbackId
      if (EventType !== 'CallbackStarted' || CallbackId === undefined || seen.has(CallbackId)) continue
      seen.add(CallbackId)
      const fitting = left.filter(({ CallbackName }) => CallbackName === '*' || CallbackName === Name)
      const end = fitting.findIndex(({ Operation }) => Operation !== 'heartbeat')
      const mine = fitting.slice(0, end + 1)
      left = left.filter((action) => !mine.includes(action))
      running.push(
        (async () => {
          for (const { Operation, Payload, Delay = 0 } of mine) {
            await wait(Delay * 1000)
            if (Operation === 'heartbeat') {
              await lambda.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId }))
            } else if (Operation === 'failure') {
              const Error = Payload as { ErrorType: string; ErrorMessage: string }
              await lambda.send(new SendDurableExecutionCallbackFailureCommand({ CallbackId, Error }))
            } else {
              const Result = Payload === undefined ? {} : { Result: Buffer.from(spaced(Payload)) }
              await lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, ...Result }))
            }
          }
        })(),
      )
    }
    await wait(200)
  }
  await Promise.all(running)
}

const valueOf = (result: string | undefined): unknown => {
  if (result === undefined) return null
  try {
    return JSON.parse(result)
  } catch {
    return result
  }
}

async function check(lambda: LambdaClient, endpoint: string, id: string, requirement: Requirement) {
  const bindings: Bindings = new Map()
  for (const [name, value] of Object.entries(requirement.Variables ?? {})) {
    const length = Number(/GEN_STR:(\d+)/.exec(value)?.[1] ?? 8)
    bindings.set(name, Math.random().toString(36).slice(2).padEnd(length, 'x').slice(0, length))
  }
  const input = withValues(requirement.Input ?? null, bindings)
  const { DurableExecutionArn: arn = '' } = await lambda.send(
    new InvokeCommand({
      FunctionName: 'flows:$LATEST',
      InvocationType: 'Event',
      Payload: text({ id, input }),
    }),
  )
  const { ExpectedResult: expected, ExpectedExecutionHistory: events = [] } = requirement
  if (!expected) {
    // Its wait is longer than anybody's patience: the beginning of the history is what counts.
    await eventually(
      `${id} waits`,
      async () => (await historyOf(lambda, arn)).length > events.length || undefined,
      DEADLINE_MS,
    )
    assert.deepEqual(matchHistory(events, await historyOf(lambda, arn), bindings), [])
    await lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn: arn }))
    return
  }
  let isOver = false
  const actions = withValues(requirement.CallbackActions ?? [], bindings)
  const answered = answerCallbacks(
    lambda,
    arn,
    actions as NonNullable<Requirement['CallbackActions']>,
    () => isOver,
  )
  const execution = await eventually(
    `${id} has ended`,
    async () => {
      const now = await lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn: arn }))
      return now.Status === 'RUNNING' ? undefined : now
    },
    DEADLINE_MS,
  ).finally(() => (isOver = true))
  await answered
  const history = await historyOf(lambda, arn)
  const different = matchHistory(events, history, bindings)
  assert.deepEqual(different, [], history.map((event) => JSON.stringify(event)).join('\n'))
  assert.equal(execution.Status, expected.ExecutionStatus, JSON.stringify(execution.Error))
  if (execution.Status === 'SUCCEEDED' && 'Result' in expected) {
    assert.deepEqual(valueOf(execution.Result), withValues(expected.Result, bindings))
  }
  for (const { match, count } of requirement.ExpectedLogs ?? []) {
    const pattern = new RegExp(String(withValues(match.message, bindings)).slice(1, -1))
    const lines = async () => {
      const found = await logsClient(endpoint).send(
        new FilterLogEventsCommand({ logGroupName: '/aws/lambda/flows' }),
      )
      // Of this execution: other lines of other executions look alike.
      return (found.events ?? []).filter(({ message = '' }) => message.includes(arn) && pattern.test(message))
        .length
    }
    await eventually(
      `${id}: ${count} lines like ${pattern.source}`,
      async () => (await lines()) >= count || undefined,
    )
    assert.equal(await lines(), count, pattern.source)
  }
}

const [sdk, requirements] = await Promise.all([durableSdkForNode(), durableRequirements()])
const skip = [sdk, requirements].find((found) => typeof found === 'string') ?? false

test('durable executions conform to what AWS requires', { skip, concurrency: AT_ONCE }, async (t) => {
  if (typeof sdk === 'string' || typeof requirements === 'string') return
  const program = await startProgram()
  t.after(() => program.stop())
  const lambda = lambdaClient(program.endpoint)
  await deploy(lambda, sdk)
  const only = process.env['REQUIREMENT']
  const wanted = Object.entries(requirements).filter(
    ([id]) => !LEFT_OUT.test(id) && (only === undefined || only.split(',').includes(id)),
  )
  assert.ok(wanted.length > 140 || only !== undefined, `${wanted.length} requirements`)
  await Promise.all(
    wanted.map(([id, requirement]) =>
      t.test(`${id} ${requirement.description}`, async () => {
        const run = () => check(lambda, program.endpoint, id, requirement)
        // Some orders hold only where an invocation ends before something that comes a second later: a busy machine may
        // need a second try.
        await run().catch(run)
      }),
    ),
  )
})
