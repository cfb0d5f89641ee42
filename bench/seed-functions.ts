/**
 * Fills a data directory with functions and published versions. Through the API half a million versions would take an
 * hour of commits, so only the first function comes from there: the rest are its documents once more, under other names,
 * written with the store's own code.
 */
import { join } from 'node:path'

import {
  CreateFunctionCommand,
  PublishVersionCommand,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda'

import { openDataKey } from '#bin/data-key.ts'
import type { AccountCounters } from '#contracts/account.ts'
import { environmentContext, type FunctionHead, type FunctionVersion } from '#contracts/function.ts'
import { accountKey, functionKey, versionKey } from '#contracts/keys.ts'
import { systemClock } from '#kernel/clock.ts'
import type { Json } from '#kernel/json.ts'
import { createSealer } from '#kernel/sealed.ts'
import type { MetaWrite } from '#store/port.ts'
import { openSqliteStore } from '#store/sqlite/sqlite-store.ts'

import { lambdaClient, ROLE, zipOf } from '../test/support/clients.ts'
import { startProgram } from '../test/support/program.ts'

/** Writes of one transaction. */
const BATCH = 5000
const VARIABLES = JSON.stringify({ TABLE: 'orders', STAGE: 'production' })
const TEMPLATE = { account: '000000000000', region: 'us-east-1', name: 'template' }

export const seededName = (index: number) => `function-${String(index).padStart(6, '0')}`

const json = (doc: object) => doc as unknown as Json

/** One function with one version, made as any client makes it. */
async function createTemplate(dataDirectory: string): Promise<void> {
  const program = await startProgram({ dataDirectory })
  try {
    const lambda = lambdaClient(program.endpoint)
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: TEMPLATE.name,
        Runtime: 'nodejs26.x',
        Handler: 'index.handler',
        Role: ROLE,
        MemorySize: 512,
        Code: { ZipFile: await zipOf({ 'index.mjs': 'export const handler = async (event) => event\n' }) },
      }),
    )
    await waitUntilFunctionActiveV2(
      { client: lambda, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
      { FunctionName: TEMPLATE.name },
    )
    await lambda.send(new PublishVersionCommand({ FunctionName: TEMPLATE.name }))
  } finally {
    await program.stop()
  }
}

/** Afterwards `dataDirectory` holds `functions` functions with `versions` published versions each, and the first one. */
export async function seedFunctions(
  dataDirectory: string,
  { functions, versions }: { readonly functions: number; readonly versions: number },
): Promise<void> {
  await createTemplate(dataDirectory)
  const sealer = createSealer(openDataKey(dataDirectory))
  const store = await openSqliteStore({ directory: join(dataDirectory, 'store'), clock: systemClock })
  try {
    const head = (await store.meta.get(functionKey(TEMPLATE)))?.doc as unknown as FunctionHead
    const version = (await store.meta.get(versionKey(TEMPLATE, '1')))?.doc as unknown as FunctionVersion
    let batch: MetaWrite[] = []
    const write = async (key: string, doc: object) => {
      if (batch.push({ key, doc: json(doc) }) < BATCH) return
      await store.meta.txn(batch)
      batch = []
    }
    for (let index = 0; index < functions; index++) {
      const name = seededName(index)
      const id = { ...TEMPLATE, name }
      const logging = { ...version.logging, group: `/aws/lambda/${name}` }
      // Sealed anew: what is sealed for one function can't be opened as another's.
      const sealedEnvironment = sealer.seal(VARIABLES, environmentContext(id))
      const own = { name, logging, sealedEnvironment }
      const latest = { ...head.latest, ...own, generation: `${head.latest.generation}-${name}` }
      await write(functionKey(id), { ...head, name, latest, nextVersion: versions + 1 })
      for (let number = 1; number <= versions; number++) {
        const generation = `${version.generation}-${name}-${number}`
        await write(versionKey(id, String(number)), {
          ...version,
          ...own,
          generation,
          version: String(number),
        })
      }
    }
    const counters = (await store.meta.get(accountKey(TEMPLATE)))?.doc as unknown as AccountCounters
    const counted = { ...counters, functionCount: counters.functionCount + functions }
    await store.meta.txn([...batch, { key: accountKey(TEMPLATE), doc: json(counted) }])
  } finally {
    await store.close()
  }
}
