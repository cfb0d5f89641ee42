/**
 * Functions that misbehave, one for each way of it, and what their callers must get. `CASE` names the way; what goes wrong
 * at init does so twice (the init and the first invocation's own), so that the second invocation finds a good function.
 */
import type { ZipEntry } from './clients.ts'

export interface BadGuest {
  readonly name: string
  readonly guest: 'node' | 'python' | 'api'
  /** Instead of the guest's own files. */
  readonly files?: Readonly<Record<string, string | ZipEntry>>
  readonly handler?: string
  readonly timeoutSeconds?: number
  /** The answer is no error. */
  readonly answers?: unknown
  /** `[errorType, errorMessage]`; a text stands for the whole, `ID` in it for the request's id. */
  readonly fails?: readonly [errorType: string, errorMessage: string | RegExp]
  /** A line of the log. */
  readonly logs?: RegExp
  /** What the next invocation counts: 1 in a new process. Undefined: it fails for ever. */
  readonly next?: number | undefined
  /** Not where the driver tells exits by signals from exit codes above 128 in no way. */
  readonly needsExactExit?: boolean
  /** Only where the driver limits memory. */
  readonly needsMemoryLimit?: boolean
}

export const NODE_GUEST = {
  'index.js': `
const fs = require('node:fs'), { spawn } = require('node:child_process'), CASE = process.env.CASE
const tmp = process.env.TMPDIR ?? '/tmp'
let before = 0
try { before = Number(fs.readFileSync(tmp + '/starts', 'utf8')) } catch {}
fs.writeFileSync(tmp + '/starts', String(before + 1))
const never = () => new Promise(() => setInterval(() => {}, 1e6))
const atInit = {
  'init throws': () => { throw new RangeError('bad init') },
  'init exits with 0': () => process.exit(0),
  'init exits with 1': () => process.exit(1),
  'init exits with 137': () => process.exit(137),
  'init kills itself': () => { process.kill(process.pid, 'SIGKILL'); for (;;); },
  'init aborts': () => process.abort(),
  'init leaves a rejection': () => { Promise.reject(new URIError('left alone')) },
  'init misses a module': () => require('nothing-of-that-name'),
  'init fills the memory': () => { const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1)) },
}
const kill = (signal) => { process.kill(process.pid, signal); return never() }
class Odd extends Error { get message() { throw new Error('no message for you') } }
const atInvoke = {
  'throws': () => { throw new TypeError('no such thing') },
  'throws a text': () => { throw 'only a text' },
  'throws nothing': () => { throw undefined },
  'throws null': () => { throw null },
  'throws an object': () => { throw { code: 7 } },
  'throws what can not be read': () => { throw new Odd() },
  'throws without end': () => { const f = () => f(); f() },
  'throws a huge error': () => { throw new Error('x'.repeat(7e6)) },
  'throws later': () => { setTimeout(() => { throw new SyntaxError('later') }); return never() },
  'leaves a rejection': () => { Promise.reject(new URIError('left alone')); return never() },
  'exits with 0': () => process.exit(0),
  'exits with 1': () => process.exit(1),
  'exits with 137': () => process.exit(137),
  'kills itself': () => kill('SIGKILL'),
  'terminates itself': () => kill('SIGTERM'),
  'segfaults': () => kill('SIGSEGV'),
  'aborts': () => process.abort(),
  'never settles': () => new Promise(() => {}),
  'never ends': never,
  'spins': () => { for (;;); },
  'fills the memory': () => { const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1)) },
  'answers itself': () => { const all = {}; all.all = all; return all },
  'answers a BigInt': () => 1n,
  'answers undefined': () => undefined,
  'answers a function': () => () => {},
  'answers half a character': () => '\\ud800',
  'answers too much': () => 'x'.repeat(7e6),
  'answers as much as fits': () => 'x'.repeat(6_291_554),
  'answers deeply': () => { let all = []; for (let at = 0; at < 2000; at++) all = [all]; return JSON.stringify(all).length },
  'answers with a toJSON that throws': () => ({ toJSON() { throw new EvalError('no JSON') } }),
  'prints a flood': () => { const line = Buffer.alloc(65536, 'x'.repeat(1023) + '\\n'); for (let at = 0; at < 160; at++) { try { fs.writeSync(1, line) } catch (error) { if (error.code !== 'EAGAIN') throw error } } return 'printed' },
  'prints no text': () => { fs.writeSync(1, Buffer.from([0xff, 0xfe, 0, 10])); return 'printed' },
  'closes its output': () => { fs.closeSync(1); fs.closeSync(2); console.log('nowhere'); return 'closed' },
  'ends its output': () => { process.stdout.end(); process.stderr.destroy(); return 'ended' },
  'closes its channel': () => { fs.closeSync(3); return never() },
  'empties its environment': () => { for (const name of Object.keys(process.env)) delete process.env[name]; return 'emptied' },
  'drops all listeners': () => { process.removeAllListeners(); return 'dropped' },
  'leaves a child': () => { spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }).unref(); return 'left' },
  'leaves a child with its output': () => { spawn('sleep', ['60'], { detached: true, stdio: ['ignore', 1, 2] }).unref(); return 'left' },
  'exits beside a child': () => { spawn('sleep', ['60'], { detached: true, stdio: ['ignore', 1, 2] }).unref(); setTimeout(() => process.exit(4), 50); return never() },
  'changes what it was given': () => { setTimeout = undefined; console.log = undefined; return 'changed' },
}
if (before < 2) atInit[CASE]?.()
let count = 0
exports.handler = async ({ good }) => { count++; return good ? count : atInvoke[CASE]() }
`,
}

export const PYTHON_GUEST = {
  'index.py': `
import ctypes, json, os, signal, sys, tempfile, threading, time
CASE = os.environ['CASE']
starts = os.path.join(tempfile.gettempdir(), 'starts')
before = int(open(starts).read()) if os.path.exists(starts) else 0
with open(starts, 'w') as file: file.write(str(before + 1))

def throw(error): raise error
def forever():
    while True: time.sleep(60)
def fork():
    os.fork()
    return 'forked'
def threads():
    waiting = []
    try:
        while len(waiting) < 5000:
            waiting.append(threading.Thread(target=forever, daemon=True))
            waiting[-1].start()
    except RuntimeError: return 'limited'
    return 'unlimited'
def deep():
    return deep()
def flood():
    for _ in range(10000): print('x' * 1000)
    return 'printed'
def close():
    os.close(1); os.close(2)
    print('nowhere')
    return 'closed'
at_init = {
    'python init raises': lambda: throw(LookupError('bad init')),
    'python init misses a module': lambda: __import__('nothing_of_that_name'),
    'python init exits': lambda: sys.exit(5),
    'python init leaves': lambda: os._exit(0),
    'python init segfaults': lambda: os.kill(os.getpid(), signal.SIGSEGV),
}
at_invoke = {
    'python raises': lambda: throw(ValueError('bad value')),
    'python raises without a text': lambda: throw(KeyError()),
    'python exits': lambda: sys.exit(3),
    'python leaves with 0': lambda: os._exit(0),
    'python leaves with 9': lambda: os._exit(9),
    'python kills itself': lambda: os.kill(os.getpid(), signal.SIGKILL),
    'python reads nowhere': lambda: ctypes.string_at(0),
    'python recurses': deep,
    'python answers a set': lambda: {1, 2},
    'python answers itself': lambda: (lambda all: (all.append(all), all)[1])([]),
    'python answers half a character': lambda: '\\ud800',
    'python answers too much': lambda: 'x' * 7_000_000,
    'python prints a flood': flood,
    'python closes its output': close,
    'python forks': fork,
    'python never ends': forever,
    'python starts threads without end': threads,
}
if before < 2 and CASE in at_init: at_init[CASE]()
count = 0
def handler(event, context):
    global count
    count += 1
    return count if event.get('good') else at_invoke[CASE]()
`,
}

/** A runtime of its own, which talks to the Runtime API by hand. */
export const API_GUEST = {
  bootstrap: {
    executable: true,
    content: `#!/usr/bin/python3
import json, os, socket, sys, threading
host, port = os.environ['AWS_LAMBDA_RUNTIME_API'].split(':')
CASE, BASE = os.environ['CASE'], '/2018-06-01/runtime'
def send(text):
    link = socket.create_connection((host, int(port)))
    link.sendall(text if isinstance(text, bytes) else text.encode())
    return link
def read(link):
    got = b''
    while b'\\r\\n\\r\\n' not in got:
        more = link.recv(65536)
        if not more: return 0, {}, b''
        got += more
    head, _, body = got.partition(b'\\r\\n\\r\\n')
    lines = head.decode().split('\\r\\n')
    headers = {name.lower(): value for name, value in (line.split(': ', 1) for line in lines[1:] if ': ' in line)}
    while len(body) < int(headers.get('content-length', 0)): body += link.recv(65536)
    link.close()
    return int(lines[0].split(' ')[1]), headers, body
def call(method, path, body='', more=''):
    data = body.encode()
    return read(send(('%s %s HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: %d\\r\\n%s\\r\\n' % (method, path, len(data), more)).encode() + data))
def next_event():
    _, headers, body = call('GET', BASE + '/invocation/next')
    return headers['lambda-runtime-aws-request-id'], json.loads(body)
def answer(id, value): return call('POST', BASE + '/invocation/%s/response' % id, json.dumps(value))[0]
def twice(id): return [answer(id, 'first'), answer(id, 'second')]
def unknown(id): answer(id, [answer('00000000-0000-0000-0000-000000000000', 1), call('POST', BASE + '/invocation//response', '1')[0]])
def garbage(id):
    for junk in (b'\\x00' * 1000, b'GET', b'POST / HTTP/9.9\\r\\n\\r\\n', b'GET / HTTP/1.1\\r\\n' + b'a: ' + b'x' * 3_000_000):
        try: read(send(junk + b'\\r\\n\\r\\n'))
        except OSError: pass
    answer(id, 'still here')
def wrong(id): answer(id, [call('GET', '/nothing')[0], call('PUT', BASE + '/invocation/next')[0], call('GET', BASE + '/invocation/%s/response' % id)[0]])
def error(id, body, more=''): return call('POST', BASE + '/invocation/%s/error' % id, body, more)
def cut(id): send('POST %s/invocation/%s/response HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: 1000\\r\\n\\r\\nhalf' % (BASE, id)).close()
def several(id):
    threading.Thread(target=next_event, daemon=True).start()
    answer(id, 'answered')
TYPE = 'lambda-runtime-function-error-type: Function.Own\\r\\n'
at_invoke = {
    'api answers twice': twice,
    'api answers nobody': unknown,
    'api talks garbage': garbage,
    'api asks for what is not there': wrong,
    'api answers an empty body': lambda id: call('POST', BASE + '/invocation/%s/response' % id),
    'api answers no JSON': lambda id: call('POST', BASE + '/invocation/%s/response' % id, 'no JSON'),
    'api answers too much': lambda id: call('POST', BASE + '/invocation/%s/response' % id, 'x' * 7_000_000),
    'api asks for an unknown mode': lambda id: call('POST', BASE + '/invocation/%s/response' % id, '1', 'lambda-runtime-function-response-mode: odd\\r\\n'),
    'api cuts its answer off': lambda id: (cut(id), os._exit(0)),
    'api reports an error': lambda id: error(id, '{"errorType":"Own","errorMessage":"mine"}', TYPE),
    'api reports no JSON': lambda id: error(id, 'oh no', TYPE),
    'api reports nothing': lambda id: error(id, ''),
    'api exits with an event': lambda id: os._exit(0),
    'api exits with 6': lambda id: os._exit(6),
    'api exits after its answer': lambda id: (answer(id, 'answered'), os._exit(0)),
    'api never answers': lambda id: threading.Event().wait(),
}
def init_error(): call('POST', BASE + '/init/error', '{"errorType":"Own","errorMessage":"at init"}', TYPE)
at_init = {
    'api reports its init': lambda: (init_error(), os._exit(1)),
    'api exits at once': lambda: os._exit(0),
    'api answers before it asks': lambda: answer('00000000-0000-0000-0000-000000000000', 1),
}
marker = os.path.join(os.environ.get('TMPDIR', '/tmp'), 'starts')
before = int(open(marker).read()) if os.path.exists(marker) else 0
with open(marker, 'w') as file: file.write(str(before + 1))
if before < 2 and CASE in at_init: at_init[CASE]()
count = 0
while True:
    id, event = next_event()
    count += 1
    if event.get('good') or CASE in at_init: answer(id, count)
    else: at_invoke[CASE](id)
`,
  },
}

const exit = (how: string) =>
  ['Runtime.ExitError', `RequestId: ID Error: Runtime exited with error: ${how}`] as const
const left = ['Runtime.ExitError', 'RequestId: ID Error: Runtime exited without providing a reason'] as const
const slow = ['Sandbox.Timedout', 'RequestId: ID Error: Task timed out after 1.00 seconds'] as const
const tooLarge = [
  'Function.ResponseSizeTooLarge',
  'Response payload size exceeded maximum allowed payload size (6291556 bytes).',
] as const
const OUT_OF_MEMORY = /^REPORT .*\tStatus: error\tError Type: Runtime\.OutOfMemory/
const EXITED = /^REPORT .*\tStatus: error\tError Type: Runtime\.ExitError/
const TIMED_OUT = /^REPORT .*\tDuration: 1000\.00 ms\t.*\tStatus: timeout/
const script = (content: string) => ({ bootstrap: { content, executable: true } })
const invalid = (message: string | RegExp) => ['Runtime.InvalidEntrypoint', message] as const

/** What depends on how a guest is started, isolated and ended; the rest is the same everywhere. */
export const dependsOnDriver = ({ name, fails = ['', ''] }: BadGuest) =>
  /^(Runtime\.(ExitError|InvalidEntrypoint)|Sandbox)/.test(fails[0]) ||
  /prints|output|channel|child|fork/.test(name)

/** Documents and log lines: recorded from AWS, or what its own runtime clients of these languages make of it. */
export const BAD_GUESTS: readonly BadGuest[] = [
  {
    name: 'throws',
    guest: 'node',
    fails: ['TypeError', 'no such thing'],
    logs: /\tERROR\tInvoke Error \t\{"errorType":"TypeError"/,
    next: 2,
  },
  { name: 'throws a text', guest: 'node', fails: ['string', 'only a text'], next: 2 },
  { name: 'throws nothing', guest: 'node', fails: ['undefined', 'undefined'], next: 2 },
  { name: 'throws null', guest: 'node', fails: ['object', 'null'], next: 2 },
  { name: 'throws an object', guest: 'node', fails: ['object', '[object Object]'], next: 2 },
  { name: 'throws what can not be read', guest: 'node', fails: ['handled', /./], next: 2 },
  {
    name: 'throws without end',
    guest: 'node',
    fails: ['RangeError', 'Maximum call stack size exceeded'],
    next: 2,
  },
  { name: 'throws a huge error', guest: 'node', fails: tooLarge, next: 2 },
  { name: 'throws later', guest: 'node', fails: ['SyntaxError', 'later'], next: 1 },
  {
    name: 'leaves a rejection',
    guest: 'node',
    fails: ['Runtime.UnhandledPromiseRejection', 'URIError: left alone'],
    next: 1,
  },
  { name: 'exits with 0', guest: 'node', fails: left, logs: EXITED, next: 1 },
  { name: 'exits with 1', guest: 'node', fails: exit('exit status 1'), logs: EXITED, next: 1 },
  { name: 'exits with 137', guest: 'node', fails: exit('exit status 137'), next: 1, needsExactExit: true },
  { name: 'kills itself', guest: 'node', fails: exit('signal: killed'), logs: EXITED, next: 1 },
  { name: 'terminates itself', guest: 'node', fails: exit('signal: terminated'), next: 1 },
  { name: 'segfaults', guest: 'node', fails: exit('signal: segmentation fault'), next: 1 },
  { name: 'aborts', guest: 'node', fails: exit('signal: aborted'), next: 1 },
  { name: 'never settles', guest: 'node', fails: left, next: 1 },
  { name: 'never ends', guest: 'node', timeoutSeconds: 1, fails: slow, logs: TIMED_OUT, next: 1 },
  { name: 'spins', guest: 'node', timeoutSeconds: 1, fails: slow, logs: TIMED_OUT, next: 1 },
  {
    name: 'fills the memory',
    guest: 'node',
    fails: exit('signal: killed'),
    logs: OUT_OF_MEMORY,
    next: 1,
    needsMemoryLimit: true,
    timeoutSeconds: 30,
  },
  {
    name: 'answers itself',
    guest: 'node',
    fails: ['Runtime.JSONStringifyError', 'Unable to stringify response body'],
    next: 2,
  },
  {
    name: 'answers a BigInt',
    guest: 'node',
    fails: ['Runtime.JSONStringifyError', 'Unable to stringify response body'],
    next: 2,
  },
  { name: 'answers undefined', guest: 'node', answers: null, next: 2 },
  { name: 'answers a function', guest: 'node', answers: null, next: 2 },
  { name: 'answers half a character', guest: 'node', answers: '\ud800', next: 2 },
  { name: 'answers as much as fits', guest: 'node', answers: 'x'.repeat(6_291_554), next: 2 },
  { name: 'answers too much', guest: 'node', fails: tooLarge, next: 2 },
  { name: 'answers deeply', guest: 'node', answers: 4002, next: 2 },
  {
    name: 'answers with a toJSON that throws',
    guest: 'node',
    fails: ['Runtime.JSONStringifyError', 'Unable to stringify response body'],
    next: 2,
  },
  { name: 'prints a flood', guest: 'node', answers: 'printed', next: 2, timeoutSeconds: 20 },
  { name: 'prints no text', guest: 'node', answers: 'printed', next: 2 },
  { name: 'closes its output', guest: 'node', answers: 'closed', next: 2 },
  { name: 'ends its output', guest: 'node', answers: 'ended', next: 2 },
  { name: 'closes its channel', guest: 'node', fails: ['Runtime.ExitError', /./], next: 1 },
  { name: 'empties its environment', guest: 'node', answers: 'emptied', next: 2 },
  { name: 'drops all listeners', guest: 'node', answers: 'dropped', next: 2 },
  { name: 'leaves a child', guest: 'node', answers: 'left', next: 2 },
  { name: 'leaves a child with its output', guest: 'node', answers: 'left', next: 2 },
  { name: 'exits beside a child', guest: 'node', fails: exit('exit status 4'), next: 1 },
  { name: 'changes what it was given', guest: 'node', answers: 'changed', next: 2 },
  {
    name: 'init throws',
    guest: 'node',
    fails: ['RangeError', 'bad init'],
    logs: /^INIT_REPORT .*\tStatus: error\tError Type: RangeError/,
    next: 1,
  },
  {
    name: 'init exits with 0',
    guest: 'node',
    fails: left,
    logs: /^INIT_REPORT .*\tPhase: init\tStatus: error\tError Type: Runtime\.ExitError/,
    next: 1,
  },
  { name: 'init exits with 1', guest: 'node', fails: exit('exit status 1'), next: 1 },
  {
    name: 'init exits with 137',
    guest: 'node',
    fails: exit('exit status 137'),
    next: 1,
    needsExactExit: true,
  },
  { name: 'init kills itself', guest: 'node', fails: exit('signal: killed'), next: 1 },
  { name: 'init aborts', guest: 'node', fails: exit('signal: aborted'), next: 1 },
  {
    name: 'init leaves a rejection',
    guest: 'node',
    fails: ['Runtime.UnhandledPromiseRejection', 'URIError: left alone'],
    next: 1,
  },
  {
    name: 'init misses a module',
    guest: 'node',
    fails: [
      'Runtime.ImportModuleError',
      /^Error: Cannot find module 'nothing-of-that-name'\nRequire stack:\n/,
    ],
    next: 1,
  },
  {
    name: 'init fills the memory',
    guest: 'node',
    fails: exit('signal: killed'),
    next: 1,
    needsMemoryLimit: true,
    timeoutSeconds: 30,
  },
  {
    name: 'syntax error',
    guest: 'node',
    files: { 'index.js': 'exports.handler = async () => {' },
    fails: ['Runtime.UserCodeSyntaxError', /^SyntaxError: /],
  },
  {
    name: 'no such export',
    guest: 'node',
    handler: 'index.other',
    fails: ['Runtime.HandlerNotFound', 'index.other is undefined or not exported'],
  },
  {
    name: 'export is no function',
    guest: 'node',
    files: { 'index.js': 'exports.handler = 7' },
    fails: ['Runtime.HandlerNotFound', 'index.handler is not a function'],
  },
  {
    name: 'no such file',
    guest: 'node',
    handler: 'other.handler',
    fails: ['Runtime.ImportModuleError', /^Error: Cannot find module 'other'/],
  },
  {
    name: 'handler without a dot',
    guest: 'node',
    handler: 'index',
    fails: ['Runtime.MalformedHandlerName', 'Bad handler'],
  },
  {
    name: 'top-level await rejects',
    guest: 'node',
    files: {
      'index.mjs': 'await Promise.reject(new RangeError("await")); export const handler = async () => 1',
    },
    fails: ['RangeError', 'await'],
  },
  {
    name: 'wants a callback',
    guest: 'node',
    files: {
      'index.js': 'exports.handler = (event, context, callback) => { callback(null, 1); callback(null, 2) }',
    },
    fails: ['Runtime.CallbackHandlerDeprecated', /./],
  },
  {
    name: 'python raises',
    guest: 'python',
    fails: ['ValueError', 'bad value'],
    logs: /^\[ERROR\] ValueError: bad value\nTraceback/m,
    next: 2,
  },
  { name: 'python raises without a text', guest: 'python', fails: ['KeyError', ''], next: 2 },
  { name: 'python exits', guest: 'python', fails: exit('exit status 3'), next: 1 },
  { name: 'python leaves with 0', guest: 'python', fails: left, next: 1 },
  { name: 'python leaves with 9', guest: 'python', fails: exit('exit status 9'), next: 1 },
  { name: 'python kills itself', guest: 'python', fails: exit('signal: killed'), logs: EXITED, next: 1 },
  { name: 'python reads nowhere', guest: 'python', fails: exit('signal: segmentation fault'), next: 1 },
  {
    name: 'python recurses',
    guest: 'python',
    fails: ['RecursionError', /^maximum recursion depth exceeded/],
    next: 2,
  },
  {
    name: 'python answers a set',
    guest: 'python',
    fails: [
      'Runtime.MarshalError',
      'Unable to marshal response: Object of type set is not JSON serializable',
    ],
    next: 2,
  },
  {
    name: 'python answers itself',
    guest: 'python',
    fails: ['Runtime.MarshalError', 'Unable to marshal response: Circular reference detected'],
    next: 2,
  },
  { name: 'python answers half a character', guest: 'python', answers: '\ud800', next: 2 },
  { name: 'python answers too much', guest: 'python', fails: tooLarge, next: 2 },
  { name: 'python prints a flood', guest: 'python', answers: 'printed', next: 2, timeoutSeconds: 20 },
  { name: 'python closes its output', guest: 'python', answers: 'closed', next: 2 },
  { name: 'python forks', guest: 'python', answers: 'forked', next: 2 },
  { name: 'python never ends', guest: 'python', timeoutSeconds: 1, fails: slow, next: 1 },
  { name: 'python init raises', guest: 'python', fails: ['LookupError', 'bad init'], next: 1 },
  {
    name: 'python init misses a module',
    guest: 'python',
    fails: [
      'Runtime.ImportModuleError',
      "Unable to import module 'index': No module named 'nothing_of_that_name'",
    ],
    next: 1,
  },
  { name: 'python init exits', guest: 'python', fails: exit('exit status 5'), next: 1 },
  { name: 'python init leaves', guest: 'python', fails: left, next: 1 },
  { name: 'python init segfaults', guest: 'python', fails: exit('signal: segmentation fault'), next: 1 },
  {
    name: 'python syntax error',
    guest: 'python',
    files: { 'index.py': 'def handler(' },
    fails: ['Runtime.UserCodeSyntaxError', /^Syntax error in module 'index': /],
  },
  {
    name: 'python has no such handler',
    guest: 'python',
    handler: 'index.other',
    fails: ['Runtime.HandlerNotFound', "Handler 'other' missing on module 'index'"],
  },
  {
    name: 'python has no such module',
    guest: 'python',
    handler: 'other.handler',
    fails: ['Runtime.ImportModuleError', "Unable to import module 'other': No module named 'other'"],
  },
  { name: 'api answers twice', guest: 'api', answers: 'first', next: 2 },
  { name: 'api answers nobody', guest: 'api', answers: [400, 400], next: 2 },
  { name: 'api talks garbage', guest: 'api', answers: 'still here', next: 2 },
  { name: 'api asks for what is not there', guest: 'api', answers: [404, 405, 405], next: 2 },
  { name: 'api answers an empty body', guest: 'api', answers: undefined, next: 2 },
  { name: 'api answers too much', guest: 'api', fails: tooLarge, next: 2 },
  { name: 'api cuts its answer off', guest: 'api', fails: left, next: 1 },
  { name: 'api reports an error', guest: 'api', fails: ['Own', 'mine'], next: 2 },
  { name: 'api exits with an event', guest: 'api', fails: left, next: 1 },
  { name: 'api exits with 6', guest: 'api', fails: exit('exit status 6'), next: 1 },
  { name: 'api exits after its answer', guest: 'api', answers: 'answered', next: 1 },
  { name: 'api never answers', guest: 'api', timeoutSeconds: 1, fails: slow, next: 1 },
  { name: 'api reports its init', guest: 'api', fails: ['Own', 'at init'], next: 1 },
  { name: 'api exits at once', guest: 'api', fails: left, next: 1 },
  { name: 'api answers before it asks', guest: 'api', answers: 1, next: 2 },
  {
    name: 'bootstrap exits with 127',
    guest: 'api',
    files: script('#!/bin/sh\nexit 127\n'),
    fails: exit('exit status 127'),
  },
  {
    name: 'no bootstrap',
    guest: 'api',
    files: { other: 'x' },
    fails: invalid(/Couldn't find valid bootstrap\(s\): \[\/var\/task\/bootstrap \/opt\/bootstrap\]/),
  },
  {
    name: 'bootstrap is not executable',
    guest: 'api',
    files: { bootstrap: '#!/bin/sh\n' },
    fails: invalid(/permission denied/),
  },
  {
    name: 'bootstrap is no program',
    guest: 'api',
    files: script('\u0000\u0001 no program'),
    fails: invalid(/exec format error/),
  },
  {
    name: 'bootstrap has no interpreter',
    guest: 'api',
    files: script('#!/nothing/here\n'),
    fails: invalid(/no such file or directory/),
  },
]
