// The clients that end-to-end tests use, from the system's packages where we may install them. What is missing
// afterwards makes those tests skip with the reason.
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'

import { installSystemPackages } from './setup.mjs'

/** Debian's PostgreSQL: the programs alone, the package would make a database and start its server. */
function ensurePostgres() {
  if (existsSync('/usr/lib/postgresql') || !installSystemPackages(['postgresql-common'])) return
  writeFileSync('/etc/postgresql-common/createcluster.conf', 'create_main_cluster = false\n')
  installSystemPackages(['postgresql'])
}

/** Debian's AWS CLI and skopeo, and what makes a Python environment for boto3 and the AWS CLI of PyPI. */
export function ensureTestClients() {
  const missing = []
  if (!existsSync('/usr/bin/aws')) missing.push('awscli')
  // Container images are built of the one, and pushed and pulled by the other.
  if (!existsSync('/bin/busybox')) missing.push('busybox-static')
  if (!existsSync('/usr/bin/skopeo')) missing.push('skopeo')
  if (spawnSync('python3', ['-c', 'import ensurepip, venv'], { stdio: 'ignore' }).status !== 0) {
    missing.push('python3-venv', 'python3-pip')
  }
  if (missing.length > 0) installSystemPackages(missing)
  ensurePostgres()
  return 0
}
