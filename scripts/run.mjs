// Runs one of the project's tasks: node scripts/run.mjs check|e2e|test|bench|docs|build
import { say, setup } from './setup.mjs'
import { tasks } from './tasks.mjs'

const name = process.argv[2] ?? ''
try {
  const all = tasks(setup())
  if (!Object.hasOwn(all, name))
    throw new Error(`no task "${name}"; there are ${Object.keys(all).join(', ')}`)
  const failed = []
  for (const step of all[name]) {
    const started = Date.now()
    const status = await step.run()
    say(
      `${status === 0 ? 'passed' : 'FAILED'}: ${step.name} (${((Date.now() - started) / 1000).toFixed(1)} s)`,
    )
    if (status !== 0) failed.push(step.name)
  }
  if (failed.length > 0) throw new Error(`failed: ${failed.join(', ')}`)
} catch (error) {
  say(error.message)
  process.exit(1)
}
