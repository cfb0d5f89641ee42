/** Why an image can't be had, before it is said in the words of the Lambda API. Nothing matches on messages. */
export type ImageProblem =
  /** The text is no name of an image. */
  | 'bad-name'
  /** The registry knows no such repository, tag or digest. */
  | 'not-found'
  | 'access-denied'
  /** A manifest, configuration or layer of a kind that is not read. */
  | 'unsupported'
  /** An index without an image for this architecture. */
  | 'no-such-platform'
  | 'too-large'
  /** Bytes that do not hash to their digest, or that make no sense. */
  | 'damaged'
  /** The registry does not answer, or answers nonsense; may be tried again. */
  | 'unreachable'

export class ImageRefused extends Error {
  override readonly name = 'ImageRefused'
  readonly problem: ImageProblem

  constructor(problem: ImageProblem, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.problem = problem
  }
}
