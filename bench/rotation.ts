/**
 * Many functions invoked in rotation: every invocation finds another function's environment to end and a new one to
 * start. What is kept of each function (code, mounts, cgroups, documents, logs) must not make the next start slower.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { CreateFunctionCommand, InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda'

import { lambdaClient, ROLE, zipOf } from '../test/support/clients.ts'
import { startProgram } from '../test/support/program.ts'

export interface RotationRow {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** To the first block of the same run. */
  readonly ratio?: number
}

const DEPLOYS_AT_ONCE = 8
/** Between two invocations: enough for the host to be ready for the next function. */
const PAUSE_MS = 100
const nameOf = (index: number) => `rotation-${index}`

const lowerQuartile = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 4)] ?? 0

/** Every function has code of its own, so that none finds another's unpacked. */
async function deploy(lambda: LambdaClient, count: number): Promise<void> {
  let next = 0
  const one = async () => {
    while (next < count) {
      const index = next++
      await lambda.send(
        new CreateFunctionCommand({
          FunctionName: nameOf(index),
          Runtime: 'nodejs26.x',
          Handler: 'index.handler',
          Role: ROLE,
          Code: { ZipFile: await zipOf({ 'index.mjs': `export const handler = async () => ${index}\n` }) },
        }),
      )
    }
  }
  await Promise.all(Array.from({ length: DEPLOYS_AT_ONCE }, one))
}

async function invoke(lambda: LambdaClient, index: number): Promise<number> {
  const started = performance.now()
  for (;;) {
    try {
      const { Payload, FunctionError } = await lambda.send(
        new InvokeCommand({ FunctionName: nameOf(index), Payload: Buffer.from('{}') }),
      )
      const answer = Buffer.from(Payload ?? []).toString()
      if (FunctionError !== undefined || answer !== String(index)) throw new Error(answer)
      return performance.now() - started
    } catch (error) {
      // Being prepared still.
      if ((error as Error).name !== 'ResourceConflictException') throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8').split('\n').length
const residentMiB = (pid: number) =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024
const entries = (path: string) => readdirSync(path, { withFileTypes: true }).length

/** `memoryMiB` bounds the environments, and with them how many functions stay warm. */
export async function measureRotation(options: {
  readonly functions: number
  readonly rounds: number
  readonly memoryMiB: number
  readonly args: readonly string[]
  readonly say: (text: string) => void
}): Promise<readonly RotationRow[]> {
  const { functions, rounds, memoryMiB, args, say } = options
  const block = functions / 4
  const rows: RotationRow[] = []
  const program = await startProgram({ args: [`--max-memory=${memoryMiB}`, ...args] })
  try {
    const lambda = lambdaClient(program.endpoint)
    const started = performance.now()
    await deploy(lambda, functions)
    rows.push({
      name: `deploying ${functions} functions`,
      value: (functions / (performance.now() - started)) * 1000,
      unit: '/s',
    })
    let first: number | undefined
    for (let round = 0; round < rounds; round++) {
      for (let from = 0; from < functions; from += block) {
        const times: number[] = []
        for (let index = from; index < from + block; index++) {
          times.push(await invoke(lambda, index))
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
        }
        const value = lowerQuartile(times)
        first ??= value
        const pid = program.child.pid ?? 0
        say(
          `round ${round + 1}, functions ${from} to ${from + block}: ${value.toFixed(1)} ms; ` +
            `${mounts()} mounts, ${residentMiB(pid).toFixed(0)} MiB resident, ` +
            `${entries(join(program.dataDirectory, 'cache', 'code'))} unpacked`,
        )
        rows.push({
          name: `rotation ${round + 1}, functions from ${from}`,
          value,
          unit: 'ms',
          ratio: value / first,
        })
      }
    }
    const value = residentMiB(program.child.pid ?? 0)
    rows.push({ name: 'rotation, memory at the end', value, unit: 'MiB' })
    return rows
  } finally {
    await program.stop()
  }
}
