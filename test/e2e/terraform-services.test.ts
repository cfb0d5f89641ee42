/**
 * Terraform's AWS provider on functions and all that hangs on them, mappings of event sources, code signing, IAM, KMS and SNS, with its own look at who it is:
 * apply, an empty plan, a change, an empty plan, destroy. All in one run, because each command takes seconds.
 */
// parity: GetFunctionEventInvokeConfig PutFunctionEventInvokeConfig DeleteFunctionEventInvokeConfig
// parity: AddLayerVersionPermission GetLayerVersionPolicy RemoveLayerVersionPermission
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { startBucket } from '../support/bucket.ts'
import { zipOf } from '../support/clients.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'
import { terraformIn, terraformMissing } from '../support/terraform.ts'
import { mappingsPart } from './terraform/mappings.ts'
import { eventsSchedulesPart } from './terraform/events-schedules.ts'
import { functionsPart } from './terraform/functions.ts'
import { provisionedPart } from './terraform/provisioned.ts'
import { rolesKeysTopicsPart } from './terraform/roles-keys-topics.ts'
import { signingPart } from './terraform/signing.ts'

const PROVIDER = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_metadata_api_check = true
}
`

test('Terraform applies, plans nothing, changes, plans nothing, and destroys', async (t) => {
  const missing = terraformMissing()
  if (missing !== undefined) return t.skip(missing)
  const bucket = await startBucket()
  t.after(() => bucket.close())
  bucket.objects.set(
    '/code/app.zip?versionId=v1',
    await zipOf({ 'index.mjs': 'export const handler = async () => "signed"' }),
  )
  const directory = await temporaryDirectory(t)
  const program = await startProgram({ args: bucket.args })
  t.after(() => program.stop())
  const terraform = terraformIn(directory, program.endpoint)
  const parts = [
    functionsPart,
    provisionedPart,
    mappingsPart,
    rolesKeysTopicsPart,
    eventsSchedulesPart,
    signingPart,
  ].map((part) => part(program.endpoint))

  writeFileSync(join(directory, 'provider.tf'), PROVIDER)
  for (const part of parts) await part.prepare?.(directory)
  for (const round of [1, 2, 3] as const) {
    for (const part of parts) writeFileSync(join(directory, `${part.name}.tf`), part.configuration(round))
    if (round === 1) await terraform.init()
    await terraform.apply()
    for (const part of parts) {
      await t.test(`${part.name}, round ${round}`, () => part.applied(round, terraform))
    }
    await terraform.planNothing()
  }
  await terraform.destroy()
  for (const part of parts) await t.test(`${part.name}, destroyed`, () => part.destroyed?.())
})
