/**
 * Writes src/wire/models/*.ts from the SDK's schema objects and the tables in tools/model.
 * `--check` writes nothing and fails when a file on disk differs.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

import { parseTable } from './model/tables.ts'
import {
  ECR,
  EVENTS,
  IAM,
  KMS,
  LAMBDA,
  LOGS,
  SCHEDULER,
  SIGNER,
  SNS,
  SQS,
  STS,
  type ServiceRecipe,
} from './model/services.ts'
import { buildModel } from './model/build.ts'
import { renderModel } from './model/render.ts'

const here = new URL('./model/', import.meta.url)
const target = new URL('../src/wire/models/', import.meta.url)

/** A service without such facts has no such table. */
const table = (name: string) => {
  const file = new URL(name, here)
  return existsSync(file) ? parseTable(readFileSync(file, 'utf8')) : []
}

/** The text of the generated file. `schemas` is everything that the service's SDK package exports. */
export function generate(recipe: ServiceRecipe, schemas: object): string {
  const model = buildModel({
    recipe,
    schemas,
    members: table(`${recipe.name}-members.tsv`),
    constraints: table(`${recipe.name}-constraints.tsv`),
    query: table(`${recipe.name}-query.tsv`),
  })
  return renderModel(model)
}

async function main(): Promise<void> {
  const sources = [
    { recipe: LAMBDA, schemas: await import('@aws-sdk/client-lambda') },
    { recipe: LOGS, schemas: await import('@aws-sdk/client-cloudwatch-logs') },
    { recipe: IAM, schemas: await import('@aws-sdk/client-iam') },
    { recipe: STS, schemas: await import('@aws-sdk/client-sts') },
    { recipe: KMS, schemas: await import('@aws-sdk/client-kms') },
    { recipe: SIGNER, schemas: await import('@aws-sdk/client-signer') },
    { recipe: ECR, schemas: await import('@aws-sdk/client-ecr') },
    { recipe: SNS, schemas: await import('@aws-sdk/client-sns') },
    { recipe: EVENTS, schemas: await import('@aws-sdk/client-eventbridge') },
    { recipe: SCHEDULER, schemas: await import('@aws-sdk/client-scheduler') },
    { recipe: SQS, schemas: await import('@aws-sdk/client-sqs') },
  ]
  const check = process.argv.includes('--check')
  for (const { recipe, schemas } of sources) {
    const file = new URL(`${recipe.name}.ts`, target)
    const text = generate(recipe, schemas)
    if (!check) {
      writeFileSync(file, text)
      console.log(`wrote src/wire/models/${recipe.name}.ts`)
    } else if (readFileSync(file, 'utf8') !== text) {
      console.error(`src/wire/models/${recipe.name}.ts is out of date: run tools/generate-models.ts`)
      process.exitCode = 1
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
