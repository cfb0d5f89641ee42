/** Why an archive is not accepted. The control plane turns these into AWS's texts; nothing matches on messages. */
export type RefusalReason =
  /** No end-of-central-directory record: not a zip, or cut off. */
  | 'not-a-zip'
  /** A zip whose structure, sizes or checksums contradict each other. */
  | 'damaged'
  | 'encrypted'
  /** A compression method other than stored and deflate. */
  | 'unsupported'
  /** Absolute, `..`, backslash, NUL, too long, not UTF-8. */
  | 'bad-path'
  /** Two entries claim one path, or one needs another's file to be a directory. */
  | 'conflicting-paths'
  /** A symbolic link that leads out of the archive, or is no readable link. */
  | 'bad-link'
  /** A device, socket or pipe. */
  | 'special-file'
  | 'too-many-entries'
  | 'too-large'
  /** Entries that share bytes, or that claim to expand more than deflate can. */
  | 'bomb'

/** Thrown for anything in an archive that is refused. Archives are hostile input, so this is a normal outcome. */
export class ArchiveRefused extends Error {
  override readonly name = 'ArchiveRefused'
  readonly reason: RefusalReason
  /** Path of the entry as far as it could be read; undefined when the whole archive is meant. */
  readonly entry: string | undefined

  constructor(reason: RefusalReason, message: string, entry?: string, cause?: unknown) {
    super(entry === undefined ? message : `${message}: ${JSON.stringify(entry.slice(0, 200))}`, { cause })
    this.reason = reason
    this.entry = entry
  }
}
