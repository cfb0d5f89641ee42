/** A bounded cache of function documents that never shows an older document than one it has been told of. */
import type { FunctionId } from '#contracts/arn.ts'
import type { FunctionHead } from '#contracts/function.ts'
import {
  addressOf,
  type DocumentAddress,
  type FunctionDocuments,
  type Versioned,
} from '#data-plane/frontend/function-documents.ts'
import type { Json } from '#kernel/json.ts'
import { createRecencyList } from '#kernel/recency-list.ts'
import type { Meta, MetaChange, MetaRow } from '#store/port.ts'

/** Versions and aliases kept of one function; beyond it all of them are read anew. */
const MAX_PER_FUNCTION = 1000

export interface DocumentCache {
  start(): Promise<void>
  stop(): void
  /** The cached documents of a function, which counts as a use. No read, no allocation. */
  find(id: FunctionId): FunctionDocuments | undefined
  /**
   * Reads one document from the store into the cache; readers of the same key share one read. Undefined when it does
   * not exist, which is not remembered: nobody can fill the cache with names that are not there.
   */
  read<Doc>(key: string): Promise<Doc | undefined>
  readonly size: number
}

interface Load {
  document: Promise<unknown> | undefined
  /** The last change of the key that arrived while the read was under way. */
  change: MetaChange | undefined
}

export function createDocumentCache(options: {
  readonly meta: Meta
  readonly maxDocuments: number
}): DocumentCache {
  const { meta, maxDocuments } = options
  /** Nested by account, region and name, so that finding builds no key. */
  const accounts = new Map<string, Map<string, Map<string, FunctionDocuments>>>()
  const recency = createRecencyList<FunctionDocuments>()
  const loads = new Map<string, Load>()
  let size = 0
  let stopWatching: (() => void) | undefined

  const lookUp = (account: string, region: string, name: string) =>
    accounts.get(account)?.get(region)?.get(name)

  const sizeOf = (known: FunctionDocuments) => (known.head ? 1 : 0) + known.versions.size + known.aliases.size

  const drop = (known: FunctionDocuments) => {
    size -= sizeOf(known)
    recency.remove(known)
    const regions = accounts.get(known.account)
    const names = regions?.get(known.region)
    names?.delete(known.name)
    if (names?.size === 0) regions?.delete(known.region)
    if (regions?.size === 0) accounts.delete(known.account)
  }

  const create = ({ account, region, name }: DocumentAddress) => {
    let regions = accounts.get(account)
    if (!regions) accounts.set(account, (regions = new Map()))
    let names = regions.get(region)
    if (!names) regions.set(region, (names = new Map()))
    const known: FunctionDocuments = {
      account,
      region,
      name,
      head: undefined,
      versions: new Map(),
      aliases: new Map(),
      newer: undefined,
      older: undefined,
    }
    names.set(name, known)
    return known
  }

  const mapOf = (known: FunctionDocuments, kind: 'version' | 'alias') =>
    (kind === 'version' ? known.versions : known.aliases) as Map<string, Versioned<unknown>>

  /** Puts a document where it belongs, unless a newer one is there. */
  const put = (known: FunctionDocuments, { kind, qualifier }: DocumentAddress, rev: number, doc: Json) => {
    const before = sizeOf(known)
    if (kind === 'function') {
      if ((known.head?.rev ?? 0) <= rev) known.head = { rev, doc: doc as unknown as FunctionHead }
    } else {
      const map = mapOf(known, kind)
      if ((map.get(qualifier)?.rev ?? 0) <= rev) {
        if (map.size >= MAX_PER_FUNCTION) map.clear()
        map.set(qualifier, { rev, doc })
      }
    }
    size += sizeOf(known) - before
  }

  const apply = (change: MetaChange) => {
    const address = addressOf(change.key)
    if (!address) return
    const load = loads.get(change.key)
    if (load) load.change = change
    const known = lookUp(address.account, address.region, address.name)
    if (!known) return
    const { kind, qualifier } = address
    const held = kind === 'function' ? known.head : mapOf(known, kind).get(qualifier)
    if (held && held.rev > change.rev) return
    if (change.doc === null) {
      // Without its head a function is gone, with everything that belongs to it.
      if (kind === 'function') drop(known)
      else if (mapOf(known, kind).delete(qualifier)) size--
      return
    }
    // Only what is cached is kept fresh; a change of anything else is read when it is needed.
    if (held) put(known, address, change.rev, change.doc)
  }

  const evict = (keep: FunctionDocuments) => {
    while (size > maxDocuments) {
      const oldest = recency.oldest
      if (!oldest || oldest === keep) return
      drop(oldest)
    }
  }

  const finish = async (key: string, load: Load) => {
    let row: MetaRow | null
    try {
      row = await meta.get(key)
    } finally {
      // In the same turn as `put` below: a change is seen either here or by `apply` on what is cached, never by neither.
      loads.delete(key)
    }
    // The read may have been answered before the change and arrive after it.
    const newest = load.change && load.change.rev >= (row?.rev ?? 0) ? load.change : row
    const address = addressOf(key)
    if (!newest || newest.doc === null || !address) return undefined
    const known = lookUp(address.account, address.region, address.name) ?? create(address)
    put(known, address, newest.rev, newest.doc)
    recency.touch(known)
    evict(known)
    return newest.doc
  }

  return {
    async start() {
      stopWatching ??= meta.watch(await meta.rev(), (changes) => {
        for (const change of changes) apply(change)
      })
    },
    stop() {
      stopWatching?.()
      stopWatching = undefined
      for (let oldest = recency.oldest; oldest; oldest = recency.oldest) drop(oldest)
    },
    find({ account, region, name }) {
      const known = lookUp(account, region, name)
      if (known) recency.touch(known)
      return known
    },
    read<Doc>(key: string) {
      const running = loads.get(key)
      if (running?.document) return running.document as Promise<Doc | undefined>
      const load: Load = { document: undefined, change: undefined }
      loads.set(key, load)
      load.document = finish(key, load)
      return load.document as Promise<Doc | undefined>
    },
    get size() {
      return size
    },
  }
}
