/** Archives: make, change, describe, list, delete. */
import type {
  ArchiveState,
  CreateArchiveCommandInput,
  CreateArchiveCommandOutput,
  DeleteArchiveCommandInput,
  DescribeArchiveCommandInput,
  DescribeArchiveCommandOutput,
  ListArchivesCommandInput,
  ListArchivesCommandOutput,
  UpdateArchiveCommandInput,
  UpdateArchiveCommandOutput,
} from '@aws-sdk/client-eventbridge'

import type { Scope } from '#contracts/arn.ts'
import {
  archiveArn,
  archivedPrefix,
  archiveKey,
  archivePrefix,
  busArn,
  busOf,
  type ArchivedEvent,
  type EventArchive,
} from '#contracts/events.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { commit, docOf, pageOf, put, read, remove, requireBus, type Stored } from './documents.ts'
import { archiveExists, limitExceeded, noSuchArchive } from './events-errors.ts'
import { checkPattern } from './rule-operations.ts'

/** Of an account and region. */
const MAX_ARCHIVES = 100
const READ = 500

export async function requireArchive(meta: Meta, where: Scope, name: string): Promise<Stored<EventArchive>> {
  const archive = await read<EventArchive>(meta, archiveKey(where, name))
  if (!archive) throw noSuchArchive(name)
  return archive
}

/** Deletes what came in before `beforeMs`; everything without it. */
export async function emptyArchive(
  meta: Meta,
  archive: Scope & { readonly name: string },
  beforeMs = Infinity,
): Promise<void> {
  const prefix = archivedPrefix(archive, archive.name)
  for (;;) {
    const rows = await meta.list(prefix, '', READ)
    const old = rows.filter(({ key }) => Number(key.slice(prefix.length, prefix.length + 13)) < beforeMs)
    if (old.length > 0) await meta.txn(old.map(({ key }) => remove(key)))
    if (old.length < READ) return
  }
}

export function createArchiveOperations(deps: {
  readonly meta: Meta
  readonly clock: Clock
}): OperationHandlers {
  const { meta, clock } = deps

  const sizeOf = async (archive: EventArchive) => {
    let [EventCount, SizeBytes] = [0, 0]
    const prefix = archivedPrefix(archive, archive.name)
    for (let after = ''; ;) {
      const rows = await meta.list(prefix, after, READ)
      EventCount += rows.length
      for (const row of rows) SizeBytes += Buffer.byteLength(docOf<ArchivedEvent>(row).event)
      after = rows.at(-1)?.key ?? ''
      if (rows.length < READ) return { EventCount, SizeBytes }
    }
  }
  const view = async (archive: EventArchive) => ({
    ArchiveName: archive.name,
    EventSourceArn: busArn({ ...archive, name: archive.bus }),
    State: 'ENABLED' satisfies ArchiveState as ArchiveState,
    RetentionDays: archive.retentionDays,
    ...(await sizeOf(archive)),
    CreationTime: new Date(archive.createdAt),
  })
  const changed = (archive: EventArchive) => ({
    ArchiveArn: archiveArn(archive),
    State: 'ENABLED' as ArchiveState,
    CreationTime: new Date(archive.createdAt),
  })
  type Settings = Pick<UpdateArchiveCommandInput, 'Description' | 'EventPattern' | 'KmsKeyIdentifier'>
  const settingsOf = ({ Description, EventPattern, KmsKeyIdentifier }: Settings) => {
    if (EventPattern) checkPattern(EventPattern)
    return {
      ...(Description !== undefined && { description: Description }),
      ...(EventPattern && { pattern: EventPattern }),
      ...(KmsKeyIdentifier !== undefined && { kmsKeyIdentifier: KmsKeyIdentifier }),
    }
  }

  const create: OperationHandler<CreateArchiveCommandInput, CreateArchiveCommandOutput> = async (
    input,
    context,
  ) => {
    const where = { account: context.account, region: context.region }
    const bus = busOf(input.EventSourceArn, context)
    await requireBus(meta, clock, bus)
    const archive: EventArchive = {
      ...where,
      name: input.ArchiveName ?? '',
      bus: bus.name,
      createdAt: clock.now(),
      ...settingsOf(input),
      retentionDays: input.RetentionDays ?? 0,
    }
    const rows = await meta.list(archivePrefix(where), '', MAX_ARCHIVES + 1)
    if (rows.length >= MAX_ARCHIVES) {
      throw limitExceeded('The requested resource exceeds the maximum number allowed.')
    }
    const key = archiveKey(where, archive.name)
    if ((await meta.txn([put(key, archive, 0)])) === 'conflict') throw archiveExists(archive.name)
    return changed(archive) as CreateArchiveCommandOutput
  }

  const update: OperationHandler<UpdateArchiveCommandInput, UpdateArchiveCommandOutput> = (input, context) =>
    commit(meta, async () => {
      const { doc, rev } = await requireArchive(meta, context, input.ArchiveName ?? '')
      const next: EventArchive = {
        ...doc,
        ...settingsOf(input),
        ...(input.RetentionDays !== undefined && { retentionDays: input.RetentionDays }),
      }
      const result = changed(next) as UpdateArchiveCommandOutput
      return { writes: [put(archiveKey(context, doc.name), next, rev)], result }
    })

  const describe: OperationHandler<DescribeArchiveCommandInput, DescribeArchiveCommandOutput> = async (
    { ArchiveName = '' },
    context,
  ) => {
    const { doc } = await requireArchive(meta, context, ArchiveName)
    return {
      ArchiveArn: archiveArn(doc),
      ...(await view(doc)),
      ...(doc.description !== undefined && { Description: doc.description }),
      ...(doc.pattern !== undefined && { EventPattern: doc.pattern }),
      ...(doc.kmsKeyIdentifier !== undefined && { KmsKeyIdentifier: doc.kmsKeyIdentifier }),
    } as DescribeArchiveCommandOutput
  }

  const list: OperationHandler<ListArchivesCommandInput, ListArchivesCommandOutput> = async (
    input,
    context,
  ) => {
    const { EventSourceArn, NamePrefix = '', State } = input
    const bus = EventSourceArn === undefined ? undefined : busOf(EventSourceArn, context)
    if (bus) await requireBus(meta, clock, bus)
    const { items, next } = await pageOf(meta, archivePrefix(context), input, (row) => {
      const archive = docOf<EventArchive>(row)
      const isWanted =
        archive.name.startsWith(NamePrefix) &&
        (!bus || archive.bus === bus.name) &&
        (State === undefined || State === 'ENABLED')
      return isWanted ? archive : undefined
    })
    return { Archives: await Promise.all(items.map(view)), ...next } as ListArchivesCommandOutput
  }

  const del: OperationHandler<DeleteArchiveCommandInput, object> = async ({ ArchiveName = '' }, context) => {
    const { doc, rev } = await requireArchive(meta, context, ArchiveName)
    await meta.txn([remove(archiveKey(context, doc.name), rev)])
    await emptyArchive(meta, doc)
    return {}
  }

  return {
    CreateArchive: create,
    UpdateArchive: update,
    DescribeArchive: describe,
    ListArchives: list,
    DeleteArchive: del,
  }
}
