/**
 * AWS's conformance requirements of durable execution SDKs, from the registry of Python packages: which events the
 * history of an execution holds, written by those who run the service.
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const VERSION = '1.0.0'
const CACHE = join(import.meta.dirname, '..', '..', '.cache', `durable-requirements-${VERSION}`)

export interface Requirement {
  readonly description: string
  readonly Input?: unknown
  readonly Variables?: Readonly<Record<string, string>>
  readonly ExpectedResult?: { readonly ExecutionStatus?: string; readonly Result?: unknown }
  readonly ExpectedExecutionHistory?: readonly Readonly<Record<string, unknown>>[]
  readonly ExpectedLogs?: readonly {
    readonly match: { readonly message: string }
    readonly count: number
  }[]
  readonly CallbackActions?: readonly {
    readonly CallbackName: string
    readonly Operation: 'success' | 'failure' | 'heartbeat'
    readonly Payload?: unknown
    /** Seconds. */
    readonly Delay?: number
  }[]
}

/** Reads the requirements out of the wheel, and prints them as one JSON object by their numbers. */
const CONVERT = `
import glob, json, os, sys, zipfile
directory = sys.argv[1]
sys.path.insert(0, os.path.join(directory, 'python'))
import yaml
found = {}
with zipfile.ZipFile(glob.glob(os.path.join(directory, '*.whl'))[0]) as wheel:
    for name in wheel.namelist():
        if '/test_requirements/' in name and name.endswith('.yaml'):
            found[os.path.basename(name)[:-5]] = yaml.safe_load(wheel.read(name))
print(json.dumps(found))
`

/** By number, such as `1-1`; or why they can't be had. */
export async function durableRequirements(): Promise<Readonly<Record<string, Requirement>> | string> {
  const path = join(CACHE, 'requirements.json')
  try {
    if (!existsSync(path)) {
      await mkdir(CACHE, { recursive: true })
      const pip = (...args: string[]) =>
        execFileSync('python3', ['-m', 'pip', ...args], { stdio: 'pipe', cwd: CACHE })
      // Made for a newer Python than is needed to read it.
      const wanted = `aws-durable-execution-conformance-tests==${VERSION}`
      pip('download', '--quiet', '--no-deps', '--python-version=3.14', '--only-binary=:all:', wanted)
      pip('install', '--quiet', '--target', join(CACHE, 'python'), 'pyyaml')
      const text = execFileSync('python3', ['-c', CONVERT, CACHE], { maxBuffer: 2 ** 26 })
      await writeFile(`${path}.new`, text)
      await rename(`${path}.new`, path)
    }
  } catch (error) {
    return `The requirements cannot be fetched: ${(error as Error).message.split('\n')[0]}`
  }
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, Requirement>
}
