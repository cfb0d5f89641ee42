/**
 * A case of the parity table: one request, and everything its answer must be. Cases are data; `run-case.ts` runs them.
 *
 * Every case has a region of its own, so that it sees nobody else's functions. In the data it is always `us-east-1`, and
 * names are always the same: `fn`, `layer`. `<label.Member>` in a text stands for what an earlier step answered, and
 * values that differ from run to run are written as in `normalise.ts`: `<uuid>`, `<date>`, `<sha256>`.
 */

/** Where an expectation comes from. */
export type Source =
  /** An answer that somebody recorded from AWS: which recording. */
  | { readonly kind: 'recorded'; readonly of: string }
  /** The constraints of the API model, in the words that were recorded for others of their kind. */
  | { readonly kind: 'model' }
  /** AWS's documentation: which page. */
  | { readonly kind: 'documented'; readonly of: string }
  /** What a client of AWS relies on, such as Terraform's provider or an SDK: which. */
  | { readonly kind: 'observed in client'; readonly of: string }
  /** Our best guess: what it rests on. */
  | { readonly kind: 'unverified'; readonly of: string }

export type SourceKind = Source['kind']

export type Input = Readonly<Record<string, unknown>>

/** A request through the SDK that must succeed before the case's own. */
export interface Step {
  /** Of Lambda; `kms:CreateKey` is one of KMS. */
  readonly operation: string
  readonly input: Input
  /** Under this label later requests and the expectation refer to its answer. */
  readonly as?: string
  /** Waits afterwards until this function is Active and no update is in progress. */
  readonly settles?: string
  /** Repeats the request until this member of the answer is there, or is this. */
  readonly until?: { readonly member: string; readonly is?: string }
}

export interface Expectation {
  readonly status: number
  /** Name of the error; undefined: it succeeds, and there must be no such header. */
  readonly errorType?: string
  /** The whole body as JSON. `NO_BODY`: not a single byte. A string: the body is no JSON object, and this is its text. */
  readonly body: unknown
  /** Headers beside those that every answer has; `null`: must not be there. */
  readonly headers?: Readonly<Record<string, string | null>>
}

export interface ParityCase {
  readonly name: string
  readonly operation: string
  readonly given?: readonly Step[]
  readonly input: Input
  readonly expect: Expectation
  readonly source: Source
}

export const NO_BODY = ''

export const recorded = (of: string): Source => ({ kind: 'recorded', of })
export const documented = (of: string): Source => ({ kind: 'documented', of })
export const observed = (of: string): Source => ({ kind: 'observed in client', of })
export const unverified = (of: string): Source => ({ kind: 'unverified', of })
export const MODEL: Source = { kind: 'model' }

export const step = (
  operation: string,
  input: Input,
  more: Omit<Step, 'operation' | 'input'> = {},
): Step => ({
  operation,
  input,
  ...more,
})

const ERROR = (status: number, errorType: string, body: unknown): Expectation => ({ status, errorType, body })

/** Errors in the spelling that was recorded for each: `Message` for some, `message` for others. */
export const notFound = (Message: string) =>
  ERROR(404, 'ResourceNotFoundException', { Message, Type: 'User' })
export const invalid = (message: string) =>
  ERROR(400, 'InvalidParameterValueException', { Type: 'User', message })
export const conflict = (message: string) =>
  ERROR(409, 'ResourceConflictException', { Type: 'User', message })
export const precondition = (message: string) =>
  ERROR(412, 'PreconditionFailedException', { Type: 'User', message })
export const validation = (message: string) => ERROR(400, 'ValidationException', { message })
/** Any other error: its type, its status and its whole body. */
export const refused = ERROR

export const ok = (body: unknown, headers?: Expectation['headers']): Expectation => ({
  status: 200,
  body,
  ...(headers && { headers }),
})
export const created = (body: unknown): Expectation => ({ status: 201, body })
export const noContent: Expectation = { status: 204, body: NO_BODY }
