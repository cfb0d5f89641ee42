// What the build scripts of the examples share: finding tools, running them, writing zip archives.
import { spawnSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { crc32, deflateRawSync } from 'node:zlib'

/** Directory of the example whose build script this is: `here(import.meta.url)`. */
export const here = (url) => dirname(fileURLToPath(url))

/** Path of a program, or undefined. */
export function findTool(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      if (statSync(path).isFile()) return path
    } catch {}
  }
  return undefined
}

/** Ends the build with a clear statement when a program is missing. Exit code 3 means: this machine can't build it. */
export function needTool(name, why) {
  const path = findTool(name)
  if (path) return path
  console.error(`'${name}' is not on the PATH: ${why}`)
  process.exit(3)
}

/** Runs a program and ends the build when it fails. */
export function run(command, args, { cwd, env = {} }) {
  const { status, signal, error } = spawnSync(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status === 0) return
  console.error(`'${command} ${args.join(' ')}' failed: ${error?.message ?? signal ?? `exit code ${status}`}`)
  process.exit(1)
}

/** An empty directory for what is built. */
export function freshDirectory(path) {
  rmSync(path, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  return path
}

/** Everything below a directory as entries of an archive, sorted, under `prefix`. */
export function entriesOf(directory, { prefix = '', exclude = () => false } = {}) {
  return readdirSync(directory, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((item) => {
      const path = join(directory, item.name)
      const name = `${prefix}${item.name}`
      if (exclude(name)) return []
      if (item.isDirectory()) return entriesOf(path, { prefix: `${name}/`, exclude })
      if (item.isSymbolicLink()) return [{ name, data: Buffer.from(readlinkSync(path)), mode: 0o120777 }]
      const executable = (statSync(path).mode & 0o111) !== 0
      return [{ name, data: readFileSync(path), mode: executable ? 0o100755 : 0o100644 }]
    })
}

/** One file as an entry. */
export const fileEntry = (path, name, { executable = false } = {}) => ({
  name,
  data: readFileSync(path),
  mode: executable ? 0o100755 : 0o100644,
})

/** 1 January 1980, midnight: the same input gives the same bytes. */
const DOS_TIME = 0
const DOS_DATE = (1 << 5) | 1
const UTF8_NAMES = 0x0800
const MADE_BY_UNIX = (3 << 8) | 20

/** Writes a zip archive with Unix modes and says how large it is. */
export function writeZip(file, entries) {
  const parts = []
  const directory = []
  let offset = 0
  for (const { name, data, mode } of entries) {
    const packed = deflateRawSync(data, { level: 9 })
    const stored = packed.length >= data.length
    const body = stored ? data : packed
    const nameBytes = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(UTF8_NAMES, 2)
    common.writeUInt16LE(stored ? 0 : 8, 4)
    common.writeUInt16LE(DOS_TIME, 6)
    common.writeUInt16LE(DOS_DATE, 8)
    common.writeUInt32LE(crc32(data), 10)
    common.writeUInt32LE(body.length, 14)
    common.writeUInt32LE(data.length, 18)
    common.writeUInt16LE(nameBytes.length, 22)
    const signature = Buffer.from('PK\x03\x04', 'latin1')
    const central = Buffer.alloc(46)
    central.write('PK\x01\x02', 'latin1')
    central.writeUInt16LE(MADE_BY_UNIX, 4)
    common.copy(central, 6)
    central.writeUInt32LE((mode << 16) >>> 0, 38)
    central.writeUInt32LE(offset, 42)
    parts.push(signature, common, nameBytes, body)
    directory.push(central, nameBytes)
    offset += 4 + common.length + nameBytes.length + body.length
  }
  const directoryBytes = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directoryBytes.length, 12)
  end.writeUInt32LE(offset, 16)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, Buffer.concat([...parts, directoryBytes, end]))
  const unpacked = entries.reduce((sum, { data }) => sum + data.length, 0)
  console.log(`${file}: ${offset + directoryBytes.length + end.length} bytes, ${unpacked} unpacked, ${entries.length} files`)
}
