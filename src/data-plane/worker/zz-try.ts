import { createRuntimeFiles } from '#data-plane/worker/runtimes/runtime-files.ts'
const log = () => {}
const files = createRuntimeFiles({ runtimesDirectory: '/tmp/lambent-fetch-try', logger: { debug: log, info: log, warn: log, error: log }, path: process.env['PATH'] })
console.log(await files.add('nodejs24.x'))
console.log((await files.list()).map((s) => `${s.runtime.identifier} ${s.state} ${'interpreter' in s ? s.interpreter?.source + ' ' + s.interpreter?.executable : ''}`).join('\n'))
console.log(await createRuntimeFiles({ runtimesDirectory: '/proc/none', logger: { debug: log, info: log, warn: log, error: log }, path: '/nowhere' }).add('nodejs22.x').catch((e) => e.message))
