/**
 * Others, measured in the same run: serverless-offline from npm, and AWS's runtime interface emulator from its SAM
 * package. Each is installed into .cache on first use and left out, with the reason, where it can't be had.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Peer {
  readonly name: string
  /** URL that a POST invokes the hello function at. */
  readonly url: string
  stop(): void
}

const CACHE = join(import.meta.dirname, '..', '.cache', 'bench')
const START_DEADLINE_MS = 60_000

const NODE_HELLO = `module.exports.handler = async (event) => ({ message: 'hello ' + event.name })\n`

async function answers(url: string, child: ChildProcess) {
  const until = Date.now() + START_DEADLINE_MS
  for (;;) {
    try {
      const response = await fetch(url, { method: 'POST', body: '{"name":"bench"}' })
      const text = await response.text()
      if (response.ok && text.includes('hello')) return
    } catch {
      // Not up yet.
    }
    if (Date.now() > until || child.exitCode !== null) throw new Error(`${url} did not answer`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/** Ends a whole process group: both peers leave children behind otherwise. */
const endGroup = (child: ChildProcess) => {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}

/** serverless-offline's Lambda endpoint, which speaks the Invoke API. It runs handlers in worker threads. */
export async function serverlessOffline(port: number): Promise<Peer> {
  const directory = join(CACHE, 'serverless-offline')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'package.json'), '{"private":true}')
  if (!existsSync(join(directory, 'node_modules', 'serverless-offline'))) {
    // serverless 3 is the last line that needs no account.
    execFileSync(
      'npm',
      [
        'install',
        '--no-audit',
        '--no-fund',
        '--ignore-scripts',
        '--legacy-peer-deps',
        'serverless@3',
        'serverless-offline@13',
      ],
      { cwd: directory, stdio: 'ignore' },
    )
  }
  writeFileSync(join(directory, 'hello.js'), NODE_HELLO)
  writeFileSync(
    join(directory, 'serverless.yml'),
    `service: bench
frameworkVersion: '3'
provider:
  name: aws
  runtime: nodejs20.x
plugins: [serverless-offline]
functions:
  hello:
    handler: hello.handler
`,
  )
  const child = spawn(
    process.execPath,
    [
      'node_modules/serverless/bin/serverless.js',
      'offline',
      '--lambdaPort',
      String(port),
      '--httpPort',
      String(port + 1),
      '--noPrependStageInUrl',
    ],
    {
      cwd: directory,
      stdio: 'ignore',
      detached: true,
      env: {
        PATH: process.env['PATH'] ?? '',
        HOME: directory,
        SLS_TELEMETRY_DISABLED: '1',
        SLS_NOTIFICATIONS_MODE: 'off',
      },
    },
  )
  const url = `http://127.0.0.1:${port}/2015-03-31/functions/bench-dev-hello/invocations`
  try {
    await answers(url, child)
  } catch (error) {
    endGroup(child)
    throw error
  }
  return { name: 'serverless-offline 13 (no isolation)', url, stop: () => endGroup(child) }
}

const GO_HELLO = `package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

type event struct {
	Name string \`json:"name"\`
}

func main() {
	lambda.Start(func(_ context.Context, e event) (map[string]string, error) {
		return map[string]string{"message": "hello " + e.Name}, nil
	})
}
`

/** Builds the Go hello for provided.al2023; returns the path of its bootstrap. */
export function goHello(): string {
  const directory = join(CACHE, 'go-hello')
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'bootstrap')
  if (existsSync(path)) return path
  writeFileSync(join(directory, 'main.go'), GO_HELLO)
  if (!existsSync(join(directory, 'go.mod')))
    execFileSync('go', ['mod', 'init', 'hello'], { cwd: directory, stdio: 'ignore' })
  execFileSync('go', ['get', 'github.com/aws/aws-lambda-go@v1.47.0'], { cwd: directory, stdio: 'ignore' })
  execFileSync('go', ['build', '-tags', 'lambda.norpc', '-o', 'bootstrap', '.'], {
    cwd: directory,
    stdio: 'ignore',
    env: { ...process.env, CGO_ENABLED: '0' },
  })
  chmodSync(path, 0o755)
  return path
}

/** AWS's runtime interface emulator with the Go hello. One invocation at a time, no isolation. */
export async function runtimeInterfaceEmulator(port: number): Promise<Peer> {
  const directory = join(CACHE, 'rie')
  mkdirSync(directory, { recursive: true })
  const name = `aws-lambda-rie-${process.arch === 'arm64' ? 'arm64' : 'x86_64'}`
  const path = join(directory, name)
  if (!existsSync(path)) {
    // AWS ships the binary inside its SAM command line package.
    const python = `import glob, sys, zipfile
archive = zipfile.ZipFile(glob.glob('*.whl')[0])
open(sys.argv[1], 'wb').write(archive.read('samcli/local/rapid/' + sys.argv[1]))`
    execFileSync('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', 'aws-sam-cli'], {
      cwd: directory,
      stdio: 'ignore',
    })
    execFileSync('python3', ['-c', python, name], { cwd: directory, stdio: 'ignore' })
    chmodSync(path, 0o755)
  }
  const child = spawn(
    path,
    [
      '--runtime-interface-emulator-address',
      `127.0.0.1:${port}`,
      '--runtime-api-address',
      `127.0.0.1:${port + 1}`,
      goHello(),
    ],
    {
      stdio: 'ignore',
      detached: true,
      env: { PATH: process.env['PATH'] ?? '', AWS_LAMBDA_FUNCTION_TIMEOUT: '30' },
    },
  )
  const url = `http://127.0.0.1:${port}/2015-03-31/functions/function/invocations`
  try {
    await answers(url, child)
  } catch (error) {
    endGroup(child)
    throw error
  }
  return { name: "AWS's runtime interface emulator (Go, no isolation)", url, stop: () => endGroup(child) }
}
