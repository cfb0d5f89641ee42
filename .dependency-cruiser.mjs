// This table is the architecture: who may import whom. Everything that is not listed is refused.
// A folder may import from another folder only its port.ts, except kernel, contracts, archives, signatures and wire, which are
// libraries: pure code without an implementation to hide.
const LIBRARIES = {
  kernel: [],
  contracts: ['kernel'],
  archives: ['kernel', 'contracts'],
  signatures: ['kernel', 'contracts', 'archives'],
  wire: ['kernel', 'contracts'],
}
const MAY_IMPORT = {
  kernel: [],
  contracts: [],
  archives: [],
  signatures: [],
  wire: [],
  store: [],
  observability: [],
  cluster: ['store', 'observability'],
  queues: ['store', 'observability'],
  documents: ['store'],
  images: ['store', 'observability'],
  'data-plane/sandbox': ['observability'],
  'data-plane/runtime-api': ['observability'],
  'data-plane/worker': ['images', 'data-plane/sandbox', 'data-plane/runtime-api', 'store', 'observability'],
  'data-plane/placement': ['data-plane/worker', 'observability'],
  'data-plane/managed-instances': ['data-plane/placement', 'store', 'observability'],
  'data-plane/counting': ['store', 'observability'],
  'data-plane/events': ['store', 'observability'],
  'data-plane/destinations': ['observability'],
  'data-plane/frontend': [
    'data-plane/placement',
    'data-plane/counting',
    'data-plane/events',
    'documents',
    'store',
    'observability',
  ],
  'data-plane/cells': ['data-plane/frontend', 'data-plane/events', 'observability'],
  'data-plane/provisioning': ['data-plane/placement', 'data-plane/counting', 'store', 'observability'],
  'data-plane/durable': ['data-plane/frontend', 'store', 'observability'],
  'data-plane/pollers': [
    'data-plane/frontend',
    'data-plane/events',
    'data-plane/destinations',
    'documents',
    'store',
    'observability',
  ],
  triggers: ['data-plane/frontend', 'documents', 'store', 'observability'],
  services: ['data-plane/frontend', 'images', 'store', 'observability'],
  authorisation: ['documents', 'store'],
  'control-plane': ['images', 'store', 'observability'],
}
/** Folders above the libraries that may use the wire layer and the archive code. */
const USES = {
  wire: [
    'images',
    'triggers',
    'data-plane/frontend',
    'data-plane/durable',
    'data-plane/pollers',
    'services',
    'authorisation',
    'control-plane',
  ],
  queues: ['data-plane/events', 'services'],
  archives: ['images', 'data-plane/worker', 'control-plane', 'services'],
  signatures: ['control-plane', 'services'],
}
const libraries = (name) => [
  ...(LIBRARIES[name] ?? ['kernel', 'contracts']),
  ...Object.entries(USES).flatMap(([library, users]) => (users.includes(name) ? [library] : [])),
]
const TEST = '\\.test\\.ts$'

const allowed = [
  { from: { path: '^src/bin/' }, to: {} },
  { from: { path: '^(test|bench|tools)/' }, to: {} },
  { from: { path: '^cli/' }, to: { path: ['^cli/', '^src/(kernel|contracts|wire)/'] } },
  { from: {}, to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional'] } },
  // A unit test may use the in-memory store, a cache on it, and whatever its own folder may.
  {
    from: { path: TEST },
    to: { path: ['^src/store/memory/', '^src/documents/', '^test/(support|conformance)/'] },
  },
  // Too new for the tool to know it as a core module; one file may use it (docs/adr/0030).
  { from: { path: '^src/data-plane/sandbox/spawner/' }, to: { path: '^(node:)?ffi$' } },
  ...Object.entries(MAY_IMPORT).map(([name, ports]) => ({
    from: { path: `^src/${name}/` },
    to: {
      path: [
        `^src/${name}/`,
        ...libraries(name).map((library) => `^src/${library}/`),
        ...ports.map((port) => `^src/${port}/port\\.ts$`),
      ],
    },
  })),
]

export default {
  allowed,
  allowedSeverity: 'error',
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nobody-imports-bin',
      severity: 'error',
      from: { pathNot: '^(src/bin|test)/' },
      to: { path: '^src/bin/' },
    },
    {
      name: 'no-dev-dependency-at-run-time',
      comment: 'devDependencies are not installed with the published package; types alone are fine',
      severity: 'error',
      from: { path: '^(src|cli)/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx'],
      exportsFields: ['exports'],
      conditionNames: ['source', 'import', 'node', 'types'],
    },
  },
}
