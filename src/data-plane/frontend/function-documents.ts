/** The documents of functions, by their keys. */
import { LATEST_PUBLISHED } from '#contracts/arn.ts'

/** Where a Meta key points, or undefined for other documents. */
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
