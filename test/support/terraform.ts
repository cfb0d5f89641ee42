/** The real Terraform with its AWS provider, in a directory of a test's own. */
import { execFile, execFileSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { clientEnvironment } from './python-clients.ts'

const run = promisify(execFile)

/** A directory with the provider, laid out as a mirror: HOST/hashicorp/aws below it. Machines may lack the registry. */
const PLUGINS = globSync('/{opt,usr/share,usr/local/share}/{*,terraform/plugins}/*/hashicorp/aws')
  .map((provider) => join(provider, '..', '..', '..'))
  .at(0)

export interface Terraform {
  init(): Promise<string>
  apply(): Promise<string>
  destroy(): Promise<string>
  /** Fails when there is anything to change. */
  planNothing(): Promise<string>
  output(name: string): Promise<string>
}

/** Why Terraform can't run here, for a skip; undefined when it can. */
export function terraformMissing(): string | undefined {
  try {
    execFileSync('terraform', ['version'], { stdio: 'ignore' })
  } catch {
    return 'terraform is not installed'
  }
  return PLUGINS === undefined ? "Terraform's AWS provider is not on this machine" : undefined
}

/** Commands that run in `directory` against `endpoint`, and fail with all that Terraform said. */
export function terraformIn(directory: string, endpoint: string): Terraform {
  const env = { ...clientEnvironment(endpoint), TF_IN_AUTOMATION: '1', CHECKPOINT_DISABLE: '1' }
  const terraform = async (...args: string[]) => {
    try {
      return (await run('terraform', args, { cwd: directory, env, timeout: 300_000 })).stdout
    } catch (error) {
      const { stdout, stderr, code } = error as { stdout: string; stderr: string; code: number }
      throw new Error(`terraform ${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`, {
        cause: error,
      })
    }
  }
  return {
    init: () => terraform('init', '-no-color', `-plugin-dir=${PLUGINS}`),
    apply: () => terraform('apply', '-no-color', '-auto-approve'),
    destroy: () => terraform('destroy', '-no-color', '-auto-approve'),
    planNothing: () => terraform('plan', '-no-color', '-detailed-exitcode'),
    output: async (name) => (await terraform('output', '-no-color', '-raw', name)).trim(),
  }
}
