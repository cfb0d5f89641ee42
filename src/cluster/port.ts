/** What the nodes of a cluster know of each other, and work that only one of them does at a time. */
import type { Component } from '#kernel/lifecycle.ts'

export interface Membership extends Component {
  /** Of this start of the program: another start is another node. */
  readonly nodeId: string
  /** Nodes that live, this one included. */
  readonly size: number
  isAlive(nodeId: string): boolean
  /** Calls `run` each time that a node has gone. */
  onGone(run: () => void): void
}

export interface Roles extends Component {
  /** What this node does now. */
  readonly held: readonly string[]
}
