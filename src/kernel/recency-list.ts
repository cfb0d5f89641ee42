/** What a `RecencyList` needs of its members: two links, owned by the list while the member is in it. */
export interface RecencyLinks<Member> {
  newer: Member | undefined
  older: Member | undefined
}

/**
 * Members ordered by when they were last touched. Every operation takes constant time and allocates nothing, because
 * the links live in the members. A member may be in one list at a time.
 */
export interface RecencyList<Member> {
  /** Adds it as the newest, or makes it the newest. */
  touch(member: Member): void
  /** Does nothing when it is not in the list. */
  remove(member: Member): void
  readonly oldest: Member | undefined
  readonly newest: Member | undefined
}

export function createRecencyList<Member extends RecencyLinks<Member>>(): RecencyList<Member> {
  let oldest: Member | undefined
  let newest: Member | undefined
  const remove = (member: Member) => {
    const { newer, older } = member
    if (newer) newer.older = older
    else if (newest === member) newest = older
    else return
    if (older) older.newer = newer
    else oldest = newer
    member.newer = undefined
    member.older = undefined
  }
  return {
    touch(member) {
      if (newest === member) return
      remove(member)
      member.older = newest
      if (newest) newest.newer = member
      else oldest = member
      newest = member
    },
    remove,
    get oldest() {
      return oldest
    },
    get newest() {
      return newest
    },
  }
}
