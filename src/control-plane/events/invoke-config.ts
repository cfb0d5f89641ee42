/** Settings for asynchronous invocations: retries, age, destinations. Texts recorded from AWS. */
import {
  functionArn,
  LATEST,
  LATEST_PUBLISHED,
  parseFunctionReference,
  type FunctionId,
} from '#contracts/arn.ts'
import { invalidParameter, resourceNotFound } from '#contracts/errors.ts'
import type { EventInvokeConfig } from '#contracts/function.ts'
import { eventInvokeConfigKey, functionKey } from '#contracts/keys.ts'

import type { Dependencies } from '../dependencies.ts'
import { asJson, headWrite, type Documents, type Stored } from '../documents.ts'
import { withoutUndefined } from '../functions/configuration.ts'
import { assertMaySendRecords } from '../functions/execution-role.ts'
import { isVersionNumber } from '../functions/names.ts'

type Needs = Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'roles'>

interface DestinationRequest {
  readonly Destination?: string | undefined
}

export interface InvokeConfigRequest {
  readonly MaximumRetryAttempts?: number | undefined
  readonly MaximumEventAgeInSeconds?: number | undefined
  readonly DestinationConfig?:
    | {
        readonly OnSuccess?: DestinationRequest | undefined
        readonly OnFailure?: DestinationRequest | undefined
      }
    | undefined
}

const functionMissing = () => resourceNotFound("The function doesn't exist.")

export const configMissing = (id: FunctionId, qualifier: string) =>
  resourceNotFound(`The function ${functionArn(id, qualifier)} doesn't have an EventInvokeConfig`)

export async function requireInvokeConfig(
  documents: Documents,
  id: FunctionId,
  qualifier: string,
): Promise<Stored<EventInvokeConfig>> {
  const config = await documents.eventInvokeConfig(id, qualifier)
  if (!config) throw configMissing(id, qualifier)
  return config
}

export async function requireFunction(documents: Documents, id: FunctionId, qualifier?: string) {
  const head = await documents.head(id)
  if (!head) throw functionMissing()
  if (qualifier !== undefined && qualifier !== LATEST) {
    const found =
      isVersionNumber(qualifier) || qualifier === LATEST_PUBLISHED
        ? await documents.version(id, qualifier)
        : await documents.alias(id, qualifier)
    if (!found) throw functionMissing()
  }
  return head
}

/** Services that can be a destination (API reference of PutFunctionEventInvokeConfig). */
const DESTINATIONS = /^arn:aws[a-zA-Z0-9-]*:(?:sqs|sns|lambda|events|s3):/

const printed = (kind: string, side: DestinationRequest | undefined) =>
  side ? `${kind}(destination=${side.Destination ?? 'null'})` : 'null'

async function assertDestinations(
  documents: Documents,
  id: FunctionId,
  config: InvokeConfigRequest['DestinationConfig'],
): Promise<void> {
  for (const side of [config?.OnSuccess, config?.OnFailure]) {
    const arn = side?.Destination
    if (!arn) continue
    if (!DESTINATIONS.test(arn)) {
      throw invalidParameter(
        `The provided destination config DestinationConfig(onSuccess=${printed('OnSuccess', config?.OnSuccess)}, onFailure=${printed('OnFailure', config?.OnFailure)}) is invalid.`,
      )
    }
    if (!/^arn:[^:]*:lambda:/.test(arn)) continue
    const target = parseFunctionReference(arn)
    if (target?.name === id.name && target.account === id.account && target.region === id.region) {
      throw invalidParameter("You can't specify the function as a destination for itself.")
    }
    const isHere = target?.account === id.account && target.region === id.region
    if (!target || (isHere && !(await documents.head({ ...id, name: target.name })))) {
      throw invalidParameter(`The destination ARN ${arn} is invalid.`)
    }
  }
}

/** Puts (`keep` false: what the request leaves out is unset) or updates (`keep` true) the settings of one qualifier. */
export async function writeInvokeConfig(
  { documents, committer, clock, roles }: Needs,
  id: FunctionId,
  qualifier: string,
  request: InvokeConfigRequest,
  keep: boolean,
): Promise<EventInvokeConfig> {
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } = request
  if (
    MaximumRetryAttempts === undefined &&
    MaximumEventAgeInSeconds === undefined &&
    DestinationConfig === undefined
  ) {
    throw invalidParameter('You must specify at least one of error handling or destination setting.')
  }
  return await committer.run(functionKey(id), async () => {
    const head = await requireFunction(documents, id, qualifier)
    await assertDestinations(documents, id, DestinationConfig)
    for (const side of [DestinationConfig?.OnSuccess, DestinationConfig?.OnFailure])
      await assertMaySendRecords(roles, id, head.doc.latest.role, side?.Destination)
    const before = keep
      ? await requireInvokeConfig(documents, id, qualifier)
      : await documents.eventInvokeConfig(id, qualifier)
    const kept = keep ? before?.doc : undefined
    const side = (requested: DestinationRequest | undefined, previous: string | undefined) =>
      requested ? requested.Destination || undefined : previous
    const config = withoutUndefined<EventInvokeConfig>({
      ...id,
      qualifier,
      maximumRetryAttempts: MaximumRetryAttempts ?? kept?.maximumRetryAttempts,
      maximumEventAgeSeconds: MaximumEventAgeInSeconds ?? kept?.maximumEventAgeSeconds,
      onSuccessArn: side(DestinationConfig?.OnSuccess, kept?.onSuccessArn),
      onFailureArn: side(DestinationConfig?.OnFailure, kept?.onFailureArn),
      modifiedAt: clock.now(),
    })
    return {
      writes: [
        { key: eventInvokeConfigKey(id, qualifier), ifRev: before?.rev ?? 0, doc: asJson(config) },
        headWrite(head, head.doc),
      ],
      result: config,
    }
  })
}

export function deleteInvokeConfig(
  { documents, committer }: Omit<Needs, 'clock' | 'roles'>,
  id: FunctionId,
  qualifier: string,
): Promise<void> {
  return committer.run(functionKey(id), async () => {
    const config = await requireInvokeConfig(documents, id, qualifier)
    return {
      writes: [{ key: eventInvokeConfigKey(id, qualifier), ifRev: config.rev, doc: null }],
      result: undefined,
    }
  })
}
