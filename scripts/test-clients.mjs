// The clients that end-to-end tests use, from the system's packages where we may install them. What is missing
// afterwards makes those tests skip with the reason.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

import { installSystemPackages } from './setup.mjs'

/** Debian's AWS CLI, and what makes a Python environment for boto3 and the AWS CLI of PyPI. */
export function ensureTestClients() {
  const missing = []
  if (!existsSync('/usr/bin/aws')) missing.push('awscli')
  if (spawnSync('python3', ['-c', 'import ensurepip, venv'], { stdio: 'ignore' }).status !== 0) {
    missing.push('python3-venv', 'python3-pip')
  }
  if (missing.length > 0) installSystemPackages(missing)
  return 0
}
