// The project's tasks, each a list of steps. `npm test` runs what CI runs.
import { readdirSync, rmSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { ensureTestClients } from './test-clients.mjs'
import { otherNode, root, run, say } from './setup.mjs'

// Every test runs processes of its own; compiled once, the sources load in half the time.
process.env['NODE_COMPILE_CACHE'] ??= join(root, '.cache', 'compiled')

const SOURCE = ['--disable-warning=ExperimentalWarning', '--conditions=source']
/** The second Node line that unit tests must pass on. */
const OTHER_NODE = '24.21.0'

const script = (name, node, file, args = []) => ({
  name,
  run: () => run(node, [...SOURCE, join(root, file), ...args]),
})

const tests = (name, node, patterns, options = []) => ({
  name,
  run: () => run(node, [...SOURCE, '--test', ...options, ...patterns.map((pattern) => join(root, pattern))]),
})

/** What fills the cores, kills, or looks at what is left on the machine: one at a time, and nothing beside it. */
const ALONE =
  /^(conformance|e2e\/worker)\/|^chaos\/(?!postgres-|store-)|^e2e\/(hostile-functions|stop-clean)\./

/** Files below a directory of the tests; by hand, because the oldest Node that starts this can't look into directories. */
function filesBelow(directory) {
  return readdirSync(join(root, 'test', directory), { withFileTypes: true }).flatMap((entry) => {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

/** The end-to-end tests that run alone, or the others. */
const endToEndTests = (alone) =>
  filesBelow('')
    .filter((path) => path.endsWith('.test.ts') && !path.startsWith('support/') && ALONE.test(path) === alone)
    .map((path) => `test/${path}`)

const UNIT_TESTS = ['src/**/*.test.ts', 'cli/**/*.test.ts', 'tools/**/*.test.ts']
/** As many files at once as the smallest machine has cores; by itself Node keeps one of them free. */
const SIDE_BY_SIDE = ['--test-concurrency=2']

/** Fetching takes long and needs no core: it begins early, and is waited for when it is needed. */
function fixtures(node) {
  let done
  const begin = () => {
    const path = join(root, 'test/support/prepare.ts')
    const child = spawn(node, [...SOURCE, path], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
    done = once(child, 'exit')
    return 0
  }
  return {
    begin: { name: 'test fixtures begun', run: begin },
    await: {
      name: 'test fixtures',
      async run() {
        if (!done) begin()
        const [code] = await done
        return code ?? 1
      },
    },
  }
}

export function tasks(node) {
  // A tool runs under the pinned Node: npm's shims would take the host's, which may be too old for it.
  const tool = (name, command, args) => ({
    name,
    run: () => run(node, [join(root, 'node_modules', '.bin', command), ...args]),
  })
  const clean = {
    name: 'clean',
    run: () => (rmSync(join(root, 'dist'), { recursive: true, force: true }), 0),
  }
  const check = [
    tool('types', 'tsc', ['--noEmit', '-p', root]),
    tool('lint', 'oxlint', ['--deny-warnings']),
    tool('format', 'oxfmt', ['--check', '.']),
    script('import table', node, 'tools/check-imports.ts'),
    // Emitted code would stand in for its sources: the dead-code tool follows the map of the published package.
    clean,
    tool('dead code', 'knip', []),
    script('generated models', node, 'tools/generate-models.ts', ['--check']),
    script('generated docs', node, 'tools/generate-docs.ts', ['--check']),
    script('parity table', node, 'tools/generate-parity.ts', ['--check']),
    tests('unit tests', node, UNIT_TESTS, SIDE_BY_SIDE),
  ]
  const other = {
    name: `unit tests on Node ${OTHER_NODE}`,
    run: () => {
      const path = otherNode(OTHER_NODE)
      if (path) return tests('', path, UNIT_TESTS, SIDE_BY_SIDE).run()
      say(`no Node ${OTHER_NODE} for this platform on npm: not run`)
      return 0
    },
  }
  const clients = { name: 'test clients', run: ensureTestClients }
  const fetched = fixtures(node)
  const endToEnd = [
    fetched.await,
    // Each runs a program of its own and waits for a third of its time: one more than the cores of the smallest machine.
    tests('end-to-end tests', node, endToEndTests(false), ['--test-concurrency=3']),
    tests('end-to-end tests that need the machine', node, endToEndTests(true), ['--test-concurrency=1']),
  ]
  return {
    check,
    e2e: [clients, ...endToEnd],
    test: [clients, fetched.begin, ...check, other, ...endToEnd],
    bench: [script('bench', node, 'bench/main.ts', process.argv.slice(3))],
    docs: [
      script('docs', node, 'tools/generate-docs.ts'),
      script('parity table', node, 'tools/generate-parity.ts'),
    ],
    clean: [clean],
    build: [clean, tool('emit', 'tsc', ['-p', join(root, 'tsconfig.build.json')])],
  }
}
