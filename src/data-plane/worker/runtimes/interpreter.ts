/** Interpreters of managed runtimes: what finding one gives, and how not finding one is said. */
import { LambdaError } from '#contracts/errors.ts'

/** An interpreter on this host. */
export interface Interpreter {
  /** Full version, such as `22.23.3`. */
  readonly version: string
  /** Absolute path on the host. */
  readonly executable: string
  /**
   * Directory that has to be mounted as /var/lang, with the interpreter in its `bin`; undefined when the interpreter
   * lies below /usr, which every guest sees.
   */
  readonly lang: string | undefined
  /** Where it comes from, for `lambent runtime list`. */
  readonly source: 'this program' | 'host' | 'installed'
}

/** The host has no such interpreter. `advice` is a sentence that says what to do. */
export const runtimeMissing = (runtime: string, advice: string, cause?: unknown) =>
  new LambdaError(
    'InvalidRuntimeException',
    `The runtime ${runtime} is not available on this host. ${advice}`,
    {
      status: 502,
      fault: 'platform',
      cause,
    },
  )
