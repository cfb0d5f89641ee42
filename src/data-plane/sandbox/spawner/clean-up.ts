/**
 * Removing a sandbox, from nothing but the plan in its directory. One algorithm for `destroy`, for the spawner's own
 * end, and for what an agent that was killed left behind, so that all three remove the same things.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { nodeCollects } from './children.ts'

/** Written before anything that it names is made. Everything in it is optional to find: removal tolerates absence. */
export interface CleanUpPlan {
  readonly id: string
  /** Cgroup directories; every process in them is killed. */
  readonly cgroups: readonly string[]
  /** Where cgroups of version 1 freeze; a frozen process there ignores SIGKILL until it is thawed. */
  readonly freezers: readonly string[]
  /** `NAME=value` in the environment of every process of this sandbox, where no cgroup holds them. */
  readonly marker?: string
  /** A container to delete, with the program and its state root. */
  readonly container?: { readonly program: string; readonly root: string }
  /** A directory of the spawner's private place, with mounts in it. */
  readonly place?: string
}

export const PLAN_FILE = 'clean-up.json'
const KILL_ROUNDS = 200
const ROUND_MS = 5
const TOOL_DEADLINE_MS = 10_000

export function writePlan(directory: string, plan: CleanUpPlan): void {
  writeFileSync(join(directory, PLAN_FILE), JSON.stringify(plan))
}

/** Plans of living sandboxes: somebody may delete the state directory under a running agent. */
const remembered = new Map<string, CleanUpPlan>()
let rememberedTable = ''

/** Must follow the writing of a plan, before anything that it names is made. */
export function rememberPlan(directory: string): void {
  const plan = readPlan(directory)
  if (!plan) throw new Error(`There is no clean-up plan in "${directory}"`)
  remembered.set(directory, plan)
}

export function rememberTable(stateDirectory: string): void {
  rememberedTable = read(join(stateDirectory, TABLE_FILE)).trim()
}

/** True when a sandbox was found there. Throws when something of it could not be removed; calling again is safe. */
export async function cleanUp(directory: string): Promise<boolean> {
  const plan = readPlan(directory) ?? remembered.get(directory)
  if (!plan && !existsSync(directory)) return false
  if (plan) {
    await killAll(plan)
    if (plan.container)
      await run(plan.container.program, ['--root', plan.container.root, 'delete', '--force', plan.id])
  }
  await unmountBelow(directory)
  if (plan?.place !== undefined) {
    await unmountBelow(plan.place)
    rmSync(plan.place, { recursive: true, force: true })
  }
  if (plan) await removeCgroups(plan.cgroups)
  rmSync(directory, { recursive: true, force: true })
  remembered.delete(directory)
  return true
}

/** Where the name of the packet filter's table stands that belongs to all sandboxes of an agent. */
export const TABLE_FILE = 'packet-filter-table'

/** What is left of an agent: its sandboxes and what they share. Answers how many sandboxes there were. */
export async function cleanUpAgent(stateDirectory: string): Promise<number> {
  const table = read(join(stateDirectory, TABLE_FILE)).trim() || rememberedTable
  if (table !== '') await run('nft', ['delete', 'table', 'inet', table])
  return cleanUpAll(join(stateDirectory, 'sandboxes'))
}

/** Cleans every sandbox directory under `parent`; one that fails does not keep the others. */
export async function cleanUpAll(parent: string): Promise<number> {
  const names = existsSync(parent) ? readdirSync(parent) : []
  const directories = new Set([...names.map((name) => join(parent, name)), ...remembered.keys()])
  const results = await Promise.allSettled([...directories].map(cleanUp))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  return results.length
}

function readPlan(directory: string): CleanUpPlan | undefined {
  try {
    // The plan is ours: written by this program into a directory that only its user may enter.
    return JSON.parse(readFileSync(join(directory, PLAN_FILE), 'utf8')) as CleanUpPlan
  } catch {
    return undefined
  }
}

/** Kills what runs in the sandbox and keeps the sandbox. */
export async function killSandbox(directory: string, spare: ReadonlySet<number>): Promise<void> {
  const plan = readPlan(directory) ?? remembered.get(directory)
  if (!plan) return
  await killAll(plan, spare)
  // The dead count against the process limit until they are collected; a new run needs their places.
  for (const cgroup of plan.cgroups) {
    const counter = join(cgroup, 'pids.current')
    for (let round = 0; round < KILL_ROUNDS && Number(read(counter)) > spare.size; round++)
      await delay(Math.min(ROUND_MS, round))
  }
}

/** Every process of the plan, right now. */
export function processesOf(plan: Pick<CleanUpPlan, 'cgroups' | 'marker'>): readonly number[] {
  const pids = new Set<number>()
  for (const cgroup of plan.cgroups) {
    for (const line of read(join(cgroup, 'cgroup.procs')).split('\n')) if (line !== '') pids.add(Number(line))
  }
  if (plan.marker !== undefined) for (const pid of withMarker(plan.marker)) pids.add(pid)
  // 0 is how a pid of another namespace reads; killing it would hit our own process group.
  pids.delete(0)
  pids.delete(process.pid)
  return [...pids]
}

/** Kills until nothing is left: a process may fork between the listing and the signal, so it takes rounds. */
export async function killAll(
  plan: Pick<CleanUpPlan, 'cgroups' | 'freezers' | 'marker'>,
  spare: ReadonlySet<number> = new Set(),
): Promise<void> {
  for (let round = 0; round < KILL_ROUNDS; round++) {
    // Frozen, a fork bomb can't outrun the listing.
    for (const freezer of plan.freezers) freeze(freezer, true)
    const pids = processesOf(plan).filter((pid) => !spare.has(pid))
    for (const pid of pids) kill(pid)
    for (const freezer of plan.freezers) freeze(freezer, false)
    if (pids.length === 0) return
    await delay(Math.min(ROUND_MS, round))
  }
  throw new Error(`Processes of a sandbox outlive SIGKILL: ${processesOf(plan).join(', ')}`)
}

function freeze(directory: string, frozen: boolean): void {
  write(join(directory, 'freezer.state'), frozen ? 'FROZEN' : 'THAWED')
  write(join(directory, 'cgroup.freeze'), frozen ? '1' : '0')
}

function* withMarker(marker: string): Generator<number> {
  if (!existsSync('/proc/self/environ')) return
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    if (read(`/proc/${name}/environ`).split('\0').includes(marker)) yield Number(name)
  }
}

/** By a system call where there is one: a sandbox has five mounts, and a host stops with hundreds of sandboxes. */
let unmountHere: (point: string) => boolean = () => false

export function unmountBy(unmount: (point: string) => boolean): void {
  unmountHere = unmount
}

async function unmountBelow(directory: string): Promise<void> {
  const points = read('/proc/self/mountinfo')
    .split('\n')
    .map((line) => decodeMountPath(line.split(' ')[4] ?? ''))
    .filter((point) => point === directory || point.startsWith(`${directory}/`))
  // Later mounts first: they may lie on top of earlier ones.
  for (const point of points.toReversed()) {
    if (unmountHere(point)) continue
    const { code } = await run('umount', [point])
    if (code !== 0) await run('umount', ['-l', point])
  }
}

async function removeCgroups(directories: readonly string[]): Promise<void> {
  for (const directory of directories) {
    for (let round = 0; existsSync(directory); round++) {
      try {
        removeTree(directory)
      } catch (cause) {
        // A killed process leaves its cgroup a moment after it is gone from the list.
        if (round === KILL_ROUNDS) throw new Error(`Cannot remove the cgroup "${directory}"`, { cause })
        await delay(ROUND_MS)
      }
    }
  }
}

function removeTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(directory, entry.name))
  rmdirSync(directory)
}

/** The kernel writes blanks and backslashes in mount paths as octal escapes (proc(5)). */
const decodeMountPath = (path: string) =>
  path.replaceAll(/\\(\d{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)))

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Writes to a file that must exist already: a plain write would leave a new file where a cgroup is gone. */
function write(path: string, text: string): void {
  try {
    if (existsSync(path)) writeFileSync(path, text, { flag: 'r+' })
  } catch {
    // The cgroup may vanish between the two.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // Gone already.
  }
}

function run(program: string, args: readonly string[]): Promise<{ readonly code: number | null }> {
  return new Promise((resolve) => {
    nodeCollects(
      execFile(program, args, { timeout: TOOL_DEADLINE_MS }, (error) => {
        resolve({ code: error ? 1 : 0 })
      }),
    )
  })
}
