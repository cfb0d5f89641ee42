/** Lambda's runtime identifiers and what is fixed for each of them. Source: enum Runtime of the Lambda API model. */

export type RuntimeFamily = 'nodejs' | 'python' | 'provided' | 'java' | 'dotnet' | 'ruby' | 'go' | 'image'

/** How the runtime in the guest talks to us: our own framed clients, or AWS's Runtime API over HTTP. */
export type RuntimeProtocol = 'framed' | 'http'

export interface RuntimeDescription {
  readonly identifier: string
  readonly family: RuntimeFamily
  /** `22` of nodejs22.x, `3.12` of python3.12, `al2023` of provided.al2023; empty where the identifier has none. */
  readonly release: string
  readonly protocol: RuntimeProtocol
  /** False: the API knows it, this build cannot run it. */
  readonly runnable: boolean
  /** AWS refuses it for new functions and for updates (several recorded from AWS, the others from its calendar, unverified). */
  readonly deprecated: boolean
  /** Value of AWS_EXECUTION_ENV; absent for provided.* (recorded from AWS). */
  readonly executionEnv: string | undefined
  /** What the console and `lambent deploy` write when the user names no handler. */
  readonly defaultHandler: string
}

const DEFAULT_HANDLER: Readonly<Record<RuntimeFamily, string>> = {
  nodejs: 'index.handler',
  python: 'lambda_function.lambda_handler',
  provided: 'bootstrap',
  java: 'example.Handler::handleRequest',
  dotnet: 'Assembly::Namespace.Class::Method',
  ruby: 'lambda_function.lambda_handler',
  go: 'main',
  image: '',
}

/** Oldest release of a family that our clients in `runtimes/` run on. */
const OLDEST_NODE = 20
const OLDEST_PYTHON = 9

function describe(identifier: string, family: RuntimeFamily, release: string, deprecated: boolean) {
  const minor = Number(release.slice(release.indexOf('.') + 1))
  const runnable =
    (family === 'nodejs' && Number(release) >= OLDEST_NODE) ||
    (family === 'python' && release.startsWith('3.') && minor >= OLDEST_PYTHON) ||
    (family === 'provided' && release !== '')
  return {
    identifier,
    family,
    release,
    protocol: family === 'nodejs' || family === 'python' ? 'framed' : 'http',
    runnable,
    deprecated,
    executionEnv: family === 'provided' ? undefined : `AWS_Lambda_${identifier}`,
    defaultHandler: DEFAULT_HANDLER[family],
  } satisfies RuntimeDescription
}

/** Family, then releases as the identifier spells them; a leading `-` marks what AWS does not accept any more. */
const RELEASES = {
  nodejs: '- -4.3 -6.10 -8.10 -10 -12 -14 -16 -18 20 22 24 26',
  python: '-2.7 -3.6 -3.7 -3.8 3.9 3.10 3.11 3.12 3.13 3.14 3.15',
  java: '-8 8.al2 8.al2023 11 11.al2023 17 17.al2023 21 25',
  dotnet: '-core1.0 -core2.0 -core2.1 -core3.1 -6 8 10',
  ruby: '-2.5 -2.7 3.2 3.3 3.4 4.0',
  provided: '- al2 al2023',
}

function family(
  name: keyof typeof RELEASES,
  spell: (release: string) => string = (release) => `${name}${release}`,
) {
  return RELEASES[name].split(' ').map((entry) => {
    const deprecated = entry.startsWith('-')
    const release = deprecated ? entry.slice(1) : entry
    return describe(spell(release), name, release, deprecated)
  })
}

/** From Node 10 on the identifier ends in `.x`. */
const spellNode = (release: string) =>
  release === '' || release.includes('.') ? `nodejs${release}` : `nodejs${release}.x`

/** Every identifier of the API model, oldest first within its family. */
export const RUNTIMES: readonly RuntimeDescription[] = [
  ...family('nodejs', spellNode),
  describe('nodejs4.3-edge', 'nodejs', '4.3-edge', true),
  ...family('python'),
  ...family('java'),
  ...family('dotnet'),
  ...family('ruby'),
  describe('go1.x', 'go', '1', true),
  ...family('provided', (release) => (release === '' ? 'provided' : `provided.${release}`)),
]

/** Of functions of container images, which have no identifier (the execution environment is recorded from AWS). */
export const IMAGE_RUNTIME: RuntimeDescription = {
  ...describe('image', 'image', '', false),
  runnable: true,
  executionEnv: 'AWS_Lambda_Image',
}

const byIdentifier = new Map(RUNTIMES.map((runtime) => [runtime.identifier, runtime]))

/** Undefined when the API model has no such runtime. */
export const findRuntime = (identifier: string): RuntimeDescription | undefined =>
  byIdentifier.get(identifier)

/**
 * The runtime's version as INIT_START and the telemetry name it: `nodejs:24.v1`, `python:3.12.v1`,
 * `provided:al2023.v1` (form recorded from AWS). The number after `v` is our own, for our own runtime clients.
 */
export const runtimeVersion = (runtime: RuntimeDescription): string =>
  `${runtime.family}:${runtime.release}.v1`

/**
 * `arn:aws:lambda:REGION::runtime:HEX`. AWS's 64 digits name one build of the runtime; ours are derived from the
 * version's name, so that they are the same on every machine. Not a cryptographic digest.
 */
export function runtimeVersionArn(region: string, runtime: RuntimeDescription): string {
  const text = runtimeVersion(runtime)
  let digits = ''
  for (let lane = 0; digits.length < 64; lane++) {
    // FNV-1a, 32 bits, once per lane.
    let hash = 0x811c9dc5 ^ lane
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
    digits += (hash >>> 0).toString(16).padStart(8, '0')
  }
  return `arn:aws:lambda:${region}::runtime:${digits}`
}
