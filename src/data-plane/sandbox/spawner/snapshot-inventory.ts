/**
 * CRIU creates the user namespace of what it continues, unless the process had the one of CRIU itself. Ours is to have the
 * user namespace of the sandbox that is there already and that CRIU joins, so the inventory of the images is made to say
 * that it was CRIU's own. Format: criu/images/inventory.proto, core.proto (task_kobj_ids_entry), two magic numbers and a
 * length before the message.
 */
const HEAD_BYTES = 12
const ROOT_IDS = 3
const USER_NAMESPACE = 10

interface Field {
  readonly number: number
  readonly wire: number
  /** Of the value, behind the length of one that has a length. */
  readonly start: number
  readonly end: number
}

/** Rejects by throwing `RangeError` what is no such message. */
function* fields(bytes: Uint8Array, from: number, to: number): Generator<Field> {
  let at = from
  const varint = (): number => {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = bytes[at++]
      if (byte === undefined || at > to) throw new RangeError('An image of CRIU is cut off')
      value += (byte & 127) * factor
      if (byte < 128) return value
    }
  }
  while (at < to) {
    const tag = varint()
    const wire = tag & 7
    let start = at
    if (wire === 0) varint()
    else if (wire === 2) {
      const length = varint()
      start = at
      at += length
    } else if (wire === 1) at += 8
    else if (wire === 5) at += 4
    else throw new RangeError(`An image of CRIU has a field of the unknown kind ${wire}`)
    yield { number: tag >>> 3, wire, start, end: at }
  }
}

function field(bytes: Uint8Array, from: number, to: number, number: number): Field {
  for (const found of fields(bytes, from, to)) if (found.number === number) return found
  throw new RangeError(`An image of CRIU lacks the field ${number}`)
}

/** The inventory with the process's user namespace in place of CRIU's own. */
export function joinNamespaces(inventory: Buffer, ids: Buffer): Buffer {
  const task = field(ids, HEAD_BYTES, HEAD_BYTES + ids.readUInt32LE(8), USER_NAMESPACE)
  const roots = field(inventory, HEAD_BYTES, HEAD_BYTES + inventory.readUInt32LE(8), ROOT_IDS)
  const own = field(inventory, roots.start, roots.end, USER_NAMESPACE)
  // Numbers count the namespaces that CRIU has met: two bytes would be thousands.
  if (task.end - task.start !== 1 || own.end - own.start !== 1)
    throw new RangeError('An image of CRIU has too many namespaces')
  const joined = Buffer.from(inventory)
  joined[own.start] = ids[task.start] ?? 0
  return joined
}
