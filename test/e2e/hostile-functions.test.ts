/** Functions that attack their sandbox, their neighbours and the program, while a good neighbour goes on answering. */
// parity: Invoke
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import type { LambdaClient } from '@aws-sdk/client-lambda'

import { createFunction, eventually, invoke, lambdaClient, type Answered } from '../support/clients.ts'
import { findTraces, watchSandboxes, type SandboxWatch } from '../support/leftovers.ts'
import { startProgram, type Program } from '../support/program.ts'

const NODE_ATTACKS = `
const fs = require('node:fs'), net = require('node:net'), { spawn } = require('node:child_process')
const never = () => new Promise(() => setInterval(() => {}, 1e6))
const attacks = {
  nothing: async () => 'fine',
  async memory() { const kept = []; for (;;) { kept.push(Buffer.alloc(16 << 20, 1)); await null } },
  async forkBomb() { spawn('/bin/sh', ['-c', 'f() { f | f & }; f; f; f'], { detached: true, stdio: 'ignore' }); return never() },
  async print() {
    const chunk = Buffer.alloc(1 << 20, 'x'.repeat(1023) + '\\n')
    for (let at = 0; at < 1024; at++) for (let done = 0; done < chunk.length;) {
      try { done += fs.writeSync(1, chunk, done) } catch (error) { if (error.code !== 'EAGAIN') throw error }
    }
    return 'printed'
  },
  async garbage() { fs.writeSync(3, Buffer.alloc(100_000, 0xa7)); return never() },
  async hugeFrame() { fs.writeSync(3, Buffer.alloc(9, 0xff)); return never() },
  async closeChannel() { fs.closeSync(3); return never() },
  async background() {
    const child = spawn('/bin/sh', ['-c', 'trap "" TERM HUP; sleep 4000 & sleep 4000'], { detached: true, stdio: 'ignore' })
    child.unref()
    return child.pid > 0
  },
  async descriptors() {
    const open = []
    try { for (;;) open.push(fs.openSync('/dev/null')) } catch (error) { return [error.code, open.length <= 1024] }
    finally { for (const fd of open) fs.closeSync(fd) }
  },
  async sockets() {
    const { hostname, port } = new URL(process.env.AWS_ENDPOINT_URL)
    const sockets = []
    const connect = () => new Promise((resolve) => {
      const socket = net.connect({ host: hostname, port, allowHalfOpen: true })
      sockets.push(socket)
      socket.once('connect', () => resolve(undefined)).once('error', (error) => resolve(error.code))
    })
    for (let at = 0; at < 2000; at++) {
      const code = await connect()
      if (code !== undefined) return code
      // Half a request each, that never goes on.
      sockets.at(-1).on('error', () => {}).write('POST /2015-03-31/functions HTTP/1.1\\r\\ncontent-length: 100\\r\\n')
    }
    return 'no limit'
  },
  async killAll() { process.kill(-1, 'SIGKILL'); process.kill(process.pid, 'SIGKILL'); return never() },
  async read({ paths }) {
    const seen = []
    for (const path of paths) try { fs.accessSync(path, fs.constants.R_OK); seen.push(path) } catch {}
    return seen
  },
}
exports.handler = (event) => attacks[event.attack](event)
`

const PYTHON_ATTACKS = `
import ctypes, os, signal, socket, time
libc = ctypes.CDLL(None, use_errno=True)

def nothing(event):
    return 'fine'

def fork_bomb(event):
    while True:
        try:
            os.fork()
        except OSError:
            pass

def memory(event):
    kept = []
    while True:
        kept.append(bytearray(os.urandom(1) * (16 << 20)))

def tmp(event):
    try:
        with open('/tmp/all', 'wb') as file:
            os.posix_fallocate(file.fileno(), 0, 600 << 20)
        return 'no limit'
    except OSError as error:
        return error.strerror
    finally:
        os.remove('/tmp/all')

def deaf(event):
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        time.sleep(100)

def garbage(event):
    os.write(3, b'\\xa7' * 100000)
    time.sleep(100)

def close_channel(event):
    os.close(3)
    time.sleep(100)

def kill_everybody(event):
    for pid in range(1, 40000):
        if pid != os.getpid():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
    return 'alive'

def privileged(event):
    attempts = {
        'ptrace': lambda: libc.ptrace(16, 1, 0, 0),
        'mount': lambda: libc.mount(b'none', b'/tmp', b'tmpfs', 0, b''),
        'umount': lambda: libc.umount2(b'/var/task', 2),
        'unshare user': lambda: libc.unshare(0x10000000),
        'unshare mount': lambda: libc.unshare(0x00020000),
        'chroot': lambda: libc.chroot(b'/tmp'),
        'setuid': lambda: libc.setuid(0),
        'mknod': lambda: libc.mknod(b'/tmp/disk', 0o060666, os.makedev(8, 0)),
        'sethostname': lambda: libc.sethostname(b'x', 1),
        'reboot': lambda: libc.reboot(0),
        'bpf': lambda: libc.syscall(321, 0, 0, 0),
        'keyctl': lambda: libc.syscall(250, 0, 0, 0),
        'io_uring': lambda: libc.syscall(425, 8, ctypes.create_string_buffer(128)),
        'userfaultfd': lambda: libc.syscall(323, 0),
        'perf': lambda: libc.syscall(298, 0, 0, -1, -1, 0),
        'module': lambda: libc.syscall(175, 0, 0, b''),
    }
    return [name for name, attempt in attempts.items() if attempt() >= 0]

def raw_socket(event):
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        return 'opened'
    except OSError as error:
        return 'refused'

def handler(event, context):
    return globals()[event['attack']](event)
`

/** A runtime of its own that misuses the Runtime API, then answers with what it saw. */
const CUSTOM_ATTACKS = `#!/usr/bin/env python3
import json, os, socket, time
host, port = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':')
BASE = '/2018-06-01/runtime'

def raw(data, wait=3):
    connection = socket.create_connection((host, int(port)), 5)
    connection.settimeout(wait)
    try:
        connection.sendall(data)
    except OSError:
        pass
    answer = b''
    try:
        while b'\\r\\n\\r\\n' not in answer:
            more = connection.recv(65536)
            if not more:
                break
            answer += more
    except OSError:
        pass
    connection.close()
    return answer.split(b' ')[1].decode() if answer.startswith(b'HTTP/1.1 ') else 'closed'

def post(path, body, headers=''):
    return raw(f'POST {path} HTTP/1.1\\r\\nhost: x\\r\\n{headers}content-length: {len(body)}\\r\\n\\r\\n'.encode() + body)

def next_event():
    connection = socket.create_connection((host, int(port)))
    connection.sendall(f'GET {BASE}/invocation/next HTTP/1.1\\r\\nhost: x\\r\\n\\r\\n'.encode())
    answer = b''
    while b'\\r\\n\\r\\n' not in answer:
        more = connection.recv(65536)
        if not more:
            os._exit(3)
        answer += more
    head, body = answer.split(b'\\r\\n\\r\\n', 1)
    headers = dict(line.lower().split(': ', 1) for line in head.decode().split('\\r\\n')[1:])
    while len(body) < int(headers['content-length']):
        body += connection.recv(65536)
    connection.close()
    return headers['lambda-runtime-aws-request-id'], json.loads(body)

def misuse(request):
    seen = {
        'not http': raw(b'\\x00\\xff\\xfe garbage without end ' * 100 + b'\\r\\n\\r\\n'),
        'another id': post(BASE + '/invocation/00000000-0000-4000-8000-000000000000/response', b'1'),
        'id with dots': post(BASE + '/invocation/../../response', b'1'),
        'no such path': post('/2018-06-01/nothing', b'1'),
        'long path': post('/' + 'a' * 200000, b''),
        'endless head': raw(b'GET / HTTP/1.1\\r\\n' + b'a: b\\r\\n' * 400000),
        'negative length': raw(f'POST {BASE}/invocation/{request}/response HTTP/1.1\\r\\ncontent-length: -5\\r\\n\\r\\n'.encode()),
        'two lengths': raw(f'POST {BASE}/invocation/{request}/response HTTP/1.1\\r\\ncontent-length: 5\\r\\ncontent-length: 6\\r\\n\\r\\n123456'.encode()),
        'bad chunk': raw(f'POST {BASE}/invocation/{request}/response HTTP/1.1\\r\\ntransfer-encoding: chunked\\r\\n\\r\\nzz\\r\\n'.encode()),
        'cross-site': post(BASE + '/init/error', b'{}'),
    }
    idle = []
    for _ in range(300):
        connection = socket.create_connection((host, int(port)), 5)
        connection.sendall(b'GET /half')
        idle.append(connection)
    for connection in idle:
        connection.close()
    return seen

def answer_twice(request):
    first = post(f'{BASE}/invocation/{request}/response', b'"first"')
    print('second answer', post(f'{BASE}/invocation/{request}/response', b'"second"'), flush=True)
    return None

def too_large(request):
    post(f'{BASE}/invocation/{request}/response', b'"' + b'x' * (8 << 20) + b'"')
    return None

def cut_off(request):
    connection = socket.create_connection((host, int(port)))
    connection.sendall(f'POST {BASE}/invocation/{request}/response HTTP/1.1\\r\\ncontent-length: 1000\\r\\n\\r\\n"half'.encode())
    connection.close()
    os._exit(7)

def shell_bomb(request):
    os.execv('/bin/sh', ['sh', '-c', 'f() { f | f & }; f; while :; do f; done'])

def ask_again(request):
    print('asked again', raw(f'GET {BASE}/invocation/next HTTP/1.1\\r\\n\\r\\n'.encode(), 1), flush=True)
    return 'asked'

def nothing(request):
    return 'fine'

while True:
    request, event = next_event()
    answer = globals()[event['attack']](request)
    if answer is not None:
        post(f'{BASE}/invocation/{request}/response', json.dumps(answer).encode())
`

const residentMiB = (pid: number) =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024

const ENDED = 'Runtime.ExitError'

describe('hostile functions', () => {
  let program: Program
  let lambda: LambdaClient
  let sandboxes: SandboxWatch
  let isolated = false
  let driver = ''
  /** What the good neighbour got wrong. */
  const wrong: string[] = []
  let answered = 0
  let neighbour: Promise<void> = Promise.resolve()
  let over = false

  const attack = (name: string, event: object) => invoke(lambda, name, event)
  const failsAs = (answer: Answered, errorType: string, message: string) => {
    assert.deepEqual(
      [answer.status, answer.functionError, answer.payload],
      [200, 'Unhandled', { errorType, errorMessage: `RequestId: ${answer.requestId} Error: ${message}` }],
    )
  }
  /** What the runtime does when its channel is cut is its own affair; the client sees that it ended. */
  const endedSomehow = (answer: Answered) => {
    const { errorType, errorMessage } = answer.payload as Record<string, string>
    assert.deepEqual([answer.status, answer.functionError, errorType], [200, 'Unhandled', ENDED])
    assert.match(errorMessage ?? '', /^RequestId: [0-9a-f-]{36} Error: Runtime exited (without|with)/)
  }
  const worksAgain = async (name: string) =>
    assert.equal((await attack(name, { attack: 'nothing' })).payload, 'fine')

  before(async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'lambent-e2e-'))
    program = await startProgram({ dataDirectory })
    sandboxes = watchSandboxes(dataDirectory)
    lambda = lambdaClient(program.endpoint)
    const health = (await (await fetch(`${program.endpoint}/_lambent/health`)).json()) as {
      driver: string
      enforced: Record<string, boolean>
    }
    driver = health.driver
    isolated = health.enforced['filesystem'] === true && health.enforced['processes'] === true
    const limits = { Timeout: 4, MemorySize: 512 }
    await Promise.all([
      createFunction(lambda, {
        FunctionName: 'good',
        files: { 'index.js': 'exports.handler = async ({ n }) => ({ twice: 2 * n })' },
        Timeout: 30,
      }),
      createFunction(lambda, { FunctionName: 'node', files: { 'index.js': NODE_ATTACKS }, ...limits }),
      createFunction(lambda, {
        FunctionName: 'python',
        files: { 'app.py': PYTHON_ATTACKS },
        Runtime: 'python3.11',
        Handler: 'app.handler',
        ...limits,
      }),
      createFunction(lambda, {
        FunctionName: 'custom',
        files: { bootstrap: { content: CUSTOM_ATTACKS, executable: true } },
        Runtime: 'provided.al2023',
        Handler: 'x',
        ...limits,
        Timeout: 20,
      }),
    ])
    neighbour = (async () => {
      for (let n = 0; !over; n++) {
        const text = await invoke(lambda, 'good', { n }).then(
          (answer) => answer.text,
          (error: unknown) => String(error),
        )
        if (text === JSON.stringify({ twice: 2 * n })) answered++
        else wrong.push(`${n}: ${text}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })()
  })
  after(async () => {
    over = true
    await neighbour
    await program.stop()
    await rm(program.dataDirectory, { recursive: true, force: true })
  })

  /** Without isolation these would hit the machine that runs the tests. */
  const isolatedTest = (name: string, run: () => Promise<void>) =>
    test(name, async (t) => (isolated ? run() : t.skip('the driver of this machine does not isolate')))

  isolatedTest('a fork bomb ends with its time, in Python and in a shell', async () => {
    const timeout = (seconds: number) => `Task timed out after ${seconds}.00 seconds`
    const [python, shell] = await Promise.all([
      attack('python', { attack: 'fork_bomb' }),
      attack('node', { attack: 'forkBomb' }),
    ])
    failsAs(python, 'Sandbox.Timedout', timeout(4))
    failsAs(shell, 'Sandbox.Timedout', timeout(4))
    await Promise.all([worksAgain('python'), worksAgain('node')])
  })

  isolatedTest('filling the memory kills nobody else', async () => {
    const [node, python] = await Promise.all([
      attack('node', { attack: 'memory' }),
      attack('python', { attack: 'memory' }),
    ])
    failsAs(node, ENDED, 'Runtime exited with error: signal: killed')
    failsAs(python, ENDED, 'Runtime exited with error: signal: killed')
    await Promise.all([worksAgain('node'), worksAgain('python')])
  })

  isolatedTest('/tmp is as large as configured and no larger', async () => {
    const { payload } = await attack('python', { attack: 'tmp' })
    assert.equal(payload, 'No space left on device')
  })

  isolatedTest('a function that ignores every signal times out all the same', async () => {
    failsAs(
      await attack('python', { attack: 'deaf' }),
      'Sandbox.Timedout',
      'Task timed out after 4.00 seconds',
    )
    await worksAgain('python')
  })

  test('printing a gigabyte does not make the program grow', async (t) => {
    const pid = program.child.pid ?? 0
    const base = residentMiB(pid)
    let peak = base
    const timer = setInterval(() => (peak = Math.max(peak, residentMiB(pid))), 20)
    const answer = await attack('node', { attack: 'print' })
    clearInterval(timer)
    assert.equal(answer.status, 200)
    if (answer.functionError !== undefined)
      failsAs(answer, 'Sandbox.Timedout', 'Task timed out after 4.00 seconds')
    t.diagnostic(`${base.toFixed(0)} MiB before, ${peak.toFixed(0)} MiB at most`)
    assert.ok(peak < base + 300, `from ${base} to ${peak} MiB`)
    await worksAgain('node')
  })

  test('garbage on the control channel, or closing it, ends the runtime and not the program', async () => {
    for (const each of ['garbage', 'hugeFrame', 'closeChannel'])
      endedSomehow(await attack('node', { attack: each }))
    for (const each of ['garbage', 'close_channel']) endedSomehow(await attack('python', { attack: each }))
    await Promise.all([worksAgain('node'), worksAgain('python')])
  })

  test('misuse of the Runtime API is refused, and the invocation can still be answered', async () => {
    const { payload } = await attack('custom', { attack: 'misuse' })
    assert.deepEqual(payload, {
      'not http': '400',
      'another id': '400',
      'id with dots': '404',
      'no such path': '404',
      'long path': '400',
      'endless head': '431',
      'negative length': '400',
      'two lengths': '400',
      'bad chunk': '400',
      'cross-site': '403',
    })
    await worksAgain('custom')
  })

  test('only the first answer counts, and too large or cut off ones are errors', async () => {
    assert.equal((await attack('custom', { attack: 'answer_twice' })).payload, 'first')
    const large = await attack('custom', { attack: 'too_large' })
    assert.deepEqual(
      [large.functionError, large.payload],
      [
        'Unhandled',
        {
          errorMessage: 'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
          errorType: 'Function.ResponseSizeTooLarge',
        },
      ],
    )
    failsAs(await attack('custom', { attack: 'cut_off' }), ENDED, 'Runtime exited with error: exit status 7')
    await worksAgain('custom')
  })

  isolatedTest('processes left running after the answer do not outlive their environment', async () => {
    assert.equal((await attack('node', { attack: 'background' })).payload, true)
    await worksAgain('node')
    // A timeout resets the environment: everything in it goes.
    assert.equal((await attack('node', { attack: 'background' })).payload, true)
  })

  isolatedTest('files of the host are out of reach', async () => {
    const data = program.dataDirectory
    const paths = [
      '/root',
      '/root/.ssh',
      '/etc/shadow',
      '/home',
      data,
      `${data}/store/store.db`,
      `${data}/cache`,
      `${data}/sandboxes`,
      process.cwd(),
      '/proc/1/environ',
      '/proc/1/root/etc/shadow',
      '/proc/1/mem',
      '/proc/kcore',
      '/proc/sysrq-trigger',
      '/dev/mem',
      '/dev/sda',
      '/dev/loop0',
      '/sys/fs/cgroup/memory',
      '/var/run/docker.sock',
      '/run',
      '/var/lib',
    ]
    // An empty /run of its own is no file of the host's. Bubblewrap's process 1 is the guest's own user's.
    const own = new Set(['/run', ...(driver === 'bubblewrap' ? ['/proc/1/environ', '/proc/1/mem'] : [])])
    const seen = (await attack('node', { attack: 'read', paths })).payload as string[]
    assert.deepEqual(
      seen.filter((path) => !own.has(path)),
      [],
    )
  })

  isolatedTest('killing every process hits only the own sandbox', async () => {
    failsAs(await attack('node', { attack: 'killAll' }), ENDED, 'Runtime exited with error: signal: killed')
    await worksAgain('node')
    assert.equal((await attack('python', { attack: 'kill_everybody' })).payload, 'alive')
  })

  test('descriptors and sockets end at the limit', async () => {
    assert.deepEqual((await attack('node', { attack: 'descriptors' })).payload, ['EMFILE', true])
    const sockets = await attack('node', { attack: 'sockets' })
    assert.equal(sockets.payload, 'EMFILE')
    await worksAgain('node')
  })

  isolatedTest('calls that need privileges fail', async () => {
    // Without a system call filter these reach only the guest's own processes.
    const harmless = driver === 'bubblewrap' ? ['ptrace', 'io_uring'] : []
    const done = (await attack('python', { attack: 'privileged' })).payload as string[]
    assert.deepEqual(
      done.filter((name) => !harmless.includes(name)),
      [],
    )
    assert.equal((await attack('python', { attack: 'raw_socket' })).payload, 'refused')
    await worksAgain('python')
  })

  isolatedTest('a bootstrap that becomes a fork bomb ends', async () => {
    // The shell gives up when it can't fork any more, or its time is over before; what it left behind goes with it.
    const bomb = await attack('custom', { attack: 'shell_bomb' })
    const timedOut = bomb.text.includes('Sandbox.Timedout')
    failsAs(
      bomb,
      timedOut ? 'Sandbox.Timedout' : ENDED,
      timedOut ? 'Task timed out after 20.00 seconds' : 'Runtime exited with error: exit status 2',
    )
    await worksAgain('custom')
  })

  test('the good neighbour was never disturbed, and nothing is left when the program has stopped', async () => {
    over = true
    await neighbour
    assert.deepEqual(wrong, [])
    assert.ok(answered > 10)
    await program.stop()
    assert.equal(program.child.exitCode, 0, program.output())
    // Nothing of it was worth a complaint either: every guest died when it was told to.
    assert.doesNotMatch(program.output(), /"level":"error"/)
    sandboxes.stop()
    assert.ok(sandboxes.ids.size > 3)
    await eventually('nothing is left', () =>
      Promise.resolve(findTraces(program.dataDirectory, sandboxes.ids).length === 0 || undefined),
    ).catch(() => assert.deepEqual(findTraces(program.dataDirectory, sandboxes.ids), []))
  })
})
