/** The official durable execution SDKs from their registries, installed once into .cache beside the checkout. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const CACHE = join(import.meta.dirname, '..', '..', '.cache')
const JS_VERSION = '2.4.0'
const PYTHON_VERSION = '3.0.0'

async function filesOf(directory: string, under: string, keep: (path: string) => boolean) {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files: Record<string, Uint8Array> = {}
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name).slice(directory.length + 1)
    if (keep(path)) files[under + path] = await readFile(join(directory, path))
  }
  return files
}

/** `node_modules` with the SDK for JavaScript, as a deployment package holds it; or why it can't be had. */
export async function durableSdkForNode(): Promise<Record<string, Uint8Array> | string> {
  const directory = join(CACHE, `durable-sdk-js-${JS_VERSION}`)
  try {
    if (!existsSync(join(directory, 'node_modules', '@aws', 'durable-execution-sdk-js'))) {
      await mkdir(directory, { recursive: true })
      await writeFile(join(directory, 'package.json'), '{"private":true}')
      const wanted = `@aws/durable-execution-sdk-js@${JS_VERSION}`
      execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', wanted], {
        cwd: directory,
        stdio: 'pipe',
      })
    }
  } catch (error) {
    return `The SDK cannot be installed: ${(error as Error).message.split('\n')[0]}`
  }
  // Only what CommonJS code loads at run time.
  return filesOf(
    join(directory, 'node_modules'),
    'node_modules/',
    (path) => /\.(js|cjs|json)$/.test(path) && !/(^|\/)dist-(es|types)\//.test(path),
  )
}

/** The SDK for Python with its boto3; of botocore's data only what Lambda's client reads. */
export async function durableSdkForPython(): Promise<Record<string, Uint8Array> | string> {
  const directory = join(CACHE, `durable-sdk-python-${PYTHON_VERSION}`)
  try {
    if (!existsSync(join(directory, 'aws_durable_execution_sdk_python'))) {
      const wanted = `aws-durable-execution-sdk-python==${PYTHON_VERSION}`
      execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--target', directory, wanted], {
        stdio: 'pipe',
      })
    }
  } catch (error) {
    return `The SDK cannot be installed: ${(error as Error).message.split('\n')[0]}`
  }
  return filesOf(
    directory,
    '',
    (path) =>
      !path.includes('__pycache__') &&
      !path.startsWith('bin/') &&
      (!/^botocore\/data\/[^/]+\//.test(path) || path.startsWith('botocore/data/lambda/')) &&
      !/^boto3\/(data|examples)\//.test(path),
  )
}
