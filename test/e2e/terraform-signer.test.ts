/** Terraform's AWS provider on code signing: a profile, a configuration, a job, a function made of its result. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { startBucket } from '../support/bucket.ts'
import { invoke, lambdaClient, ROLE, zipOf } from '../support/clients.ts'
import { startProgram, temporaryDirectory } from '../support/program.ts'
import { terraformIn, terraformMissing } from '../support/terraform.ts'

const CONFIGURATION = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  skip_metadata_api_check = true
}

resource "aws_signer_signing_profile" "team" {
  platform_id = "AWSLambda-SHA384-ECDSA"
  name        = "team"
  signature_validity_period {
    value = 5
    type  = "YEARS"
  }
  tags = { team = "a" }
}

resource "aws_signer_signing_job" "build" {
  profile_name = aws_signer_signing_profile.team.name
  source {
    s3 {
      bucket  = "code"
      key     = "app.zip"
      version = "v1"
    }
  }
  destination {
    s3 {
      bucket = "code"
      prefix = "signed/"
    }
  }
}

resource "aws_lambda_code_signing_config" "strict" {
  allowed_publishers {
    signing_profile_version_arns = [aws_signer_signing_profile.team.version_arn]
  }
  policies {
    untrusted_artifact_on_deployment = "Enforce"
  }
}

resource "aws_lambda_function" "signed" {
  function_name           = "tf-signed"
  role                    = "${ROLE}"
  runtime                 = "nodejs22.x"
  handler                 = "index.handler"
  s3_bucket               = aws_signer_signing_job.build.signed_object[0].s3[0].bucket
  s3_key                  = aws_signer_signing_job.build.signed_object[0].s3[0].key
  code_signing_config_arn = aws_lambda_code_signing_config.strict.arn
}

output "profile" { value = aws_lambda_function.signed.signing_profile_version_arn }
output "version" { value = aws_signer_signing_profile.team.version_arn }
`

test('terraform: applies, has nothing to change, and destroys', { skip: terraformMissing() }, async (t) => {
  const bucket = await startBucket()
  t.after(() => bucket.close())
  bucket.objects.set(
    '/code/app.zip?versionId=v1',
    await zipOf({ 'index.mjs': 'export const handler = async () => "signed"' }),
  )
  const program = await startProgram({ args: bucket.args })
  t.after(() => program.stop())
  const directory = await temporaryDirectory(t, 'lambent-terraform-')
  writeFileSync(join(directory, 'main.tf'), CONFIGURATION)
  const terraform = terraformIn(directory, program.endpoint)
  await terraform.init()
  await terraform.apply()
  assert.equal(await terraform.output('profile'), await terraform.output('version'))
  assert.equal((await invoke(lambdaClient(program.endpoint), 'tf-signed')).payload, 'signed')
  await terraform.planNothing()
  await terraform.destroy()
})
