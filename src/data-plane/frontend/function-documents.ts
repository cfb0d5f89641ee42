/** What the catalog knows of one function, and how a stored document or a change of it gets in there. */
import { LATEST_PUBLISHED } from '#contracts/arn.ts'
import type { Alias, FunctionHead, PublishedVersion } from '#contracts/function.ts'
import type { RecencyLinks } from '#kernel/recency-list.ts'

/** A document with the store revision it was written at. */
export interface Versioned<Doc> {
  readonly rev: number
  readonly doc: Doc
}

/** The cached documents of one function. A map holds what is known to exist; what is missing may exist. */
export interface FunctionDocuments extends RecencyLinks<FunctionDocuments> {
  readonly account: string
  readonly region: string
  readonly name: string
  head: Versioned<FunctionHead> | undefined
  readonly versions: Map<string, Versioned<PublishedVersion>>
  readonly aliases: Map<string, Versioned<Alias>>
}

/** Where a Meta key points, or undefined for documents that do not concern the catalog. */
export interface DocumentAddress {
  readonly kind: 'function' | 'version' | 'alias'
  readonly account: string
  readonly region: string
  readonly name: string
  /** Version number without padding, alias name, or '' for the head. */
  readonly qualifier: string
}

/** The version as the API writes it, of a key where numbers are padded. */
const versionOf = (part: string) => (part === LATEST_PUBLISHED ? part : String(Number(part)))

/** Takes a key of contracts/keys.ts apart. */
export function addressOf(key: string): DocumentAddress | undefined {
  const [kind, account, region, name, part] = key.split('/')
  if (!account || !region || !name) return undefined
  switch (kind) {
    case 'function':
      return { kind, account, region, name, qualifier: '' }
    case 'version':
      return part ? { kind, account, region, name, qualifier: versionOf(part) } : undefined
    case 'alias':
      return part ? { kind, account, region, name, qualifier: part } : undefined
    default:
      return undefined
  }
}

/** True for a version number and `$LATEST.PUBLISHED`, false for an alias name (never all digits) and for `$LATEST`. */
export const isPublishedVersion = (qualifier: string) =>
  qualifier === LATEST_PUBLISHED || /^\d+$/.test(qualifier)
