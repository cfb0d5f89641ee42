/** The Rust example takes cargo most of a minute: it is compiled while other checks leave a core idle. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '..', '..', 'examples', 'rust-hash')

/** The sources are what is tried: cargo need not make the smallest program of them, which takes it half as long again. */
export const QUICK_BUILD: Readonly<Record<string, string>> = {
  CARGO_PROFILE_RELEASE_LTO: 'off',
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
  CARGO_PROFILE_RELEASE_OPT_LEVEL: '0',
}

/** What the example's own build finds done. Why it can't be compiled, as a text; otherwise undefined. */
export function compileRustExample(): string | undefined {
  const env = { ...process.env, ...QUICK_BUILD, CARGO_TARGET_DIR: join(FOLDER, 'target') }
  const { status, error } = spawnSync(
    'nice',
    ['-n', '19', 'cargo', 'build', '--release', '--locked', '--quiet'],
    {
      cwd: FOLDER,
      env,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  )
  return status === 0 ? undefined : (error?.message ?? `cargo ended with ${status}`)
}
