import type { FunctionHead } from '#contracts/function.ts'
import type { FunctionId } from '#contracts/arn.ts'
import type { Counting } from '#data-plane/counting/port.ts'
import type { Json } from '#kernel/json.ts'
import type { Meta } from '#store/port.ts'

/** Where the head documents live. See `functionKey` in contracts/keys.ts. */
const HEADS = 'function/'
const PAGE = 500

const idOf = (key: string): FunctionId | undefined => {
  const [account, region, name] = key.slice(HEADS.length).split('/')
  return account && region && name ? { account, region, name } : undefined
}

/**
 * Gives `counting` the limits of every function, then follows changes. Resolves when it is filled, with a function that
 * stops following. Rejects when the store can't be read.
 */
export async function feedCounting(meta: Meta, counting: Counting): Promise<() => void> {
  const apply = (key: string, doc: Json | null) => {
    if (!key.startsWith(HEADS)) return
    const id = idOf(key)
    if (!id) return
    const head = doc as unknown as FunctionHead | null
    counting.setLimits(id, {
      reserved: head?.reservedConcurrency,
      provisioned: head?.provisionedConcurrency ?? 0,
    })
  }
  // The revision is read first: a change made while the pages are read arrives a second time, which does no harm.
  const rev = await meta.rev()
  for (let after = ''; ;) {
    const rows = await meta.list(HEADS, after, PAGE)
    for (const row of rows) apply(row.key, row.doc)
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) break
    after = last.key
  }
  return meta.watch(rev, (changes) => {
    for (const change of changes) apply(change.key, change.doc)
  })
}
