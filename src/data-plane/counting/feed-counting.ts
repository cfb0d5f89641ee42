import type { FunctionId } from '#contracts/arn.ts'
import type { FunctionLimits } from '#contracts/function.ts'
import { ALL_FUNCTIONS, INDEXES_COMPLETE, LIMITED_FUNCTIONS } from '#contracts/keys.ts'
import type { Counting } from '#data-plane/counting/port.ts'
import type { Json } from '#kernel/json.ts'
import type { Meta } from '#store/port.ts'

const PAGE = 500

const idOf = (key: string): FunctionId | undefined => {
  const [account, region, name] = key.slice(ALL_FUNCTIONS.length).split('/')
  return account && region && name ? { account, region, name } : undefined
}

/**
 * Gives `counting` the limits of every function, then follows changes. Resolves when it is filled, with a function that
 * stops following. Rejects when the store can't be read.
 */
export async function feedCounting(meta: Meta, counting: Counting): Promise<() => void> {
  const apply = (key: string, doc: Json | null) => {
    if (!key.startsWith(ALL_FUNCTIONS)) return
    const id = idOf(key)
    if (!id) return
    const limits = doc as FunctionLimits | null
    counting.setLimits(id, {
      reserved: limits?.reservedConcurrency,
      provisioned: limits?.provisionedConcurrency ?? 0,
    })
  }
  // The revision is read first: a change made while the pages are read arrives a second time, which does no harm.
  const rev = await meta.rev()
  // A store from before there was an index is read whole, once.
  const isIndexed = (await meta.get(INDEXES_COMPLETE)) !== null
  const prefix = isIndexed ? LIMITED_FUNCTIONS : ALL_FUNCTIONS
  for (let after = ''; ;) {
    const rows = await meta.list(prefix, after, PAGE)
    for (const { key, doc } of rows) apply(isIndexed ? key.slice(LIMITED_FUNCTIONS.length) : key, doc)
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) break
    after = last.key
  }
  return meta.watch(rev, (changes) => {
    for (const change of changes) apply(change.key, change.doc)
  })
}
