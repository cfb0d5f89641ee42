/** boto3 and the AWS CLI from PyPI, installed once into .cache beside the checkout. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const DIRECTORY = join(import.meta.dirname, '..', '..', '.cache', 'python-clients')

export interface PythonClients {
  /** A Python with boto3. */
  readonly python: string
  /** The AWS CLI of PyPI. */
  readonly aws: string
}

/** Installs them when needed; or the reason why they can't be had here, for a skip. */
export function pythonClients(): PythonClients | string {
  const python = join(DIRECTORY, 'bin', 'python')
  const aws = join(DIRECTORY, 'bin', 'aws')
  try {
    if (!existsSync(aws)) {
      execFileSync('python3', ['-m', 'venv', DIRECTORY], { stdio: 'pipe' })
      execFileSync(python, ['-m', 'pip', 'install', '--quiet', 'boto3==1.43.11', 'awscli==1.45.11'], {
        stdio: 'pipe',
      })
    }
    return { python, aws }
  } catch (error) {
    return `boto3 and awscli cannot be installed: ${(error as Error).message.split('\n')[0]}`
  }
}

/** Environment for any AWS client: only the endpoint tells it apart from one that talks to AWS. */
export const clientEnvironment = (endpoint: string): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: join(DIRECTORY, '..'),
  AWS_ENDPOINT_URL: endpoint,
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_PAGER: '',
  // The older command line holds its output back otherwise when nobody looks at a terminal.
  PYTHONUNBUFFERED: '1',
})
