/** Terraform's AWS provider on code signing: a profile, a configuration, a job, a function made of its result. */
import assert from 'node:assert/strict'

import { invoke, lambdaClient, ROLE } from '../../support/clients.ts'
import type { Part } from './part.ts'

const configuration = (team: string) => `
resource "aws_signer_signing_profile" "team" {
  platform_id = "AWSLambda-SHA384-ECDSA"
  name        = "team"
  signature_validity_period {
    value = 5
    type  = "YEARS"
  }
  tags = { team = "${team}" }
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

export const signingPart = (endpoint: string): Part => ({
  name: 'signing',
  configuration: (round) => configuration(round === 1 ? 'a' : 'b'),
  async applied(_round, terraform) {
    assert.equal(await terraform.output('profile'), await terraform.output('version'))
    assert.equal((await invoke(lambdaClient(endpoint), 'tf-signed')).payload, 'signed')
  },
})
