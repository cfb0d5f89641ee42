import { spawn } from 'node:child_process'
import { createFramedSession } from '#data-plane/runtime-api/framed-session.ts'
import { mkdtempSync, writeFileSync, readFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
const dir = mkdtempSync('/tmp/fn-')
writeFileSync(dir + '/index.js', `exports.handler = async (e, c) => ({ statusCode: 200, body: 'hello ' + e.a })`)
writeFileSync(dir + '/index.py', `def handler(e, c): return { 'statusCode': 200, 'body': 'hello ' + str(e['a']) }`)
const argv = process.argv[2] === 'py' || process.argv[2]==='prof' ? process.argv[2]==='prof' ? [process.execPath,'--cpu-prof','--cpu-prof-dir=/tmp/prof','/work/main/runtimes/nodejs/index.cjs'] : ['python3', '/work/main/runtimes/python/bootstrap.py'] : [process.argv[2] ?? process.execPath, '/work/main/runtimes/nodejs/index.cjs']
const C = Number(process.argv[3] ?? 1), N = Number(process.argv[4] ?? 20000)
const mk = async () => {
  const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'pipe'], env: {PATH: process.env.PATH} })
  const s = createFramedSession({ control: child.stdio[3] as Duplex, maxResponseBytes: 6291556, onLog: () => {} })
  await s.ready
  await s.init({ handler: 'index.handler', env: { AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x' }, taskRoot: dir })
  return { s, pid: child.pid! }
}
const guests = await Promise.all(Array.from({length: C}, mk))
const small = Buffer.from('{"a":1}')
const inv = { requestId: '8f9b6c1e-0000-4000-8000-000000000000', payload: small, deadlineMs: 1790000000000, invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello', traceId: 'Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1' }
const cpuOf = (pid: number) => { const f = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' '); return (Number(f[11]) + Number(f[12])) * 10000 }
const loop = async (s: any, n: number) => { for (let i = 0; i < n; i++) await s.invoke({ ...inv, requestId: inv.requestId }) }
await Promise.all(guests.map(({ s }) => loop(s, 3000 / C)))
const t = performance.now(), c = process.cpuUsage(), g = guests.map(({pid}) => cpuOf(pid)).reduce((a, b) => a + b, 0)
await Promise.all(guests.map(({ s }) => loop(s, N / C)))
const d = process.cpuUsage(c), g2 = guests.map(({pid}) => cpuOf(pid)).reduce((a, b) => a + b, 0)
console.log(argv[0], 'c', C, 'us wall/req', ((performance.now() - t) * 1000 / N).toFixed(1), 'host cpu us', ((d.user + d.system) / N).toFixed(1), 'user', (d.user / N).toFixed(1), 'guest cpu us', ((g2 - g) / N).toFixed(1))
for (const { s } of guests) s.close()
