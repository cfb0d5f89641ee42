/** Cells: independent installations, each with its own store, queues and pollers. An account lives in one of them. */

export interface CellHome {
  /** Where all of the account's work runs. */
  readonly home: string
  /** Where its events wait while the home cell takes none; undefined: nowhere. */
  readonly alternate: string | undefined
}

export interface CellMap {
  homeOf(account: string): CellHome
}
