/** A filter pattern that cannot be read. The message is AWS's, for the client. */
export class FilterPatternError extends Error {
  override readonly name = 'FilterPatternError'
}
