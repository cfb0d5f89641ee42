/** Creates, changes and deletes function URLs. Texts recorded from AWS. */
import type { Cors } from '@aws-sdk/client-lambda'

import { LATEST, type FunctionId } from '#contracts/arn.ts'
import { invalidParameter, resourceConflict, resourceNotFound } from '#contracts/errors.ts'
import type { FunctionUrl } from '#contracts/function-url.ts'
import { functionKey, functionUrlKey, urlKey } from '#contracts/keys.ts'
import type { Random } from '#kernel/random.ts'

import type { Dependencies } from '../dependencies.ts'
import { asJson, headWrite, type Documents, type Stored } from '../documents.ts'
import { withoutUndefined } from '../functions/configuration.ts'
import { corsOf } from './cors.ts'
import { urlArn } from './url-view.ts'

type Needs = Pick<Dependencies, 'documents' | 'committer' | 'clock' | 'random'>

export interface UrlRequest {
  readonly AuthType?: string | undefined
  readonly InvokeMode?: string | undefined
  readonly Cors?: Cors | undefined
}

const functionMissing = () => resourceNotFound('Function does not exist')
const urlMissing = () => resourceNotFound('The resource you requested does not exist.')

const ID_LENGTH = 32
/** 240 random bits are more than 32 digits of base 36 can hold, so that every digit is drawn evenly enough. */
const newUrlId = (random: Random) =>
  BigInt(`0x${random.hex(60)}`)
    .toString(36)
    .padStart(ID_LENGTH, '0')
    .slice(-ID_LENGTH)

const authTypeOf = (text: string | undefined) => (text === 'NONE' ? 'NONE' : 'AWS_IAM')
const invokeModeOf = (text: string | undefined) =>
  text === 'RESPONSE_STREAM' ? 'RESPONSE_STREAM' : 'BUFFERED'

/** Throws AWS's 404 for an alias that does not exist, and for the function. */
async function requireTarget(documents: Documents, id: FunctionId, qualifier: string) {
  const head = await documents.head(id)
  if (!head) throw functionMissing()
  if (qualifier !== LATEST && !(await documents.alias(id, qualifier))) throw functionMissing()
  return head
}

/** `qualifier` is an alias, or `$LATEST` for the function itself. */
export function createUrl(
  { documents, committer, clock, random }: Needs,
  id: FunctionId,
  qualifier: string,
  request: UrlRequest,
): Promise<FunctionUrl> {
  const now = clock.now()
  const url = withoutUndefined<FunctionUrl>({
    ...id,
    urlId: newUrlId(random),
    qualifier,
    authType: authTypeOf(request.AuthType),
    invokeMode: invokeModeOf(request.InvokeMode),
    ...(request.Cors && { cors: corsOf(request.Cors) }),
    createdAt: now,
    modifiedAt: now,
  })
  return committer.run(functionKey(id), async () => {
    const head = await documents.head(id)
    if (!head) throw functionMissing()
    if (head.doc.latest.tenantIsolation !== undefined) {
      // A URL has no way to name a tenant (rule: developer guide, text unverified).
      throw invalidParameter('Function URLs are not supported for functions with tenancy configuration.')
    }
    const existing = await documents.functionUrl(id, qualifier)
    if (existing) {
      // Two blanks, as AWS sends them.
      throw resourceConflict(
        `Failed to create function url config for [functionArn = ${urlArn(existing.doc)}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
      )
    }
    await requireTarget(documents, id, qualifier)
    return {
      writes: [
        { key: functionUrlKey(id, qualifier), ifRev: 0, doc: { urlId: url.urlId } },
        { key: urlKey(url.urlId), ifRev: 0, doc: asJson(url) },
        // Unchanged, but written: who deletes the function at this moment finds out.
        headWrite(head, head.doc),
      ],
      result: url,
    }
  })
}

export async function requireUrl(
  documents: Documents,
  id: FunctionId,
  qualifier: string,
): Promise<Stored<FunctionUrl>> {
  const url = await documents.functionUrl(id, qualifier)
  if (!url) throw urlMissing()
  return url
}

/** What the request leaves out stays; `Cors` is replaced as a whole, and removed when it is empty. */
export function updateUrl(
  { documents, committer, clock }: Omit<Needs, 'random'>,
  id: FunctionId,
  qualifier: string,
  request: UrlRequest,
): Promise<FunctionUrl> {
  const cors = request.Cors && corsOf(request.Cors)
  return committer.run(functionKey(id), async () => {
    await requireTarget(documents, id, qualifier)
    const before = await requireUrl(documents, id, qualifier)
    const { cors: kept, ...rest } = before.doc
    const url = withoutUndefined<FunctionUrl>({
      ...rest,
      authType: request.AuthType === undefined ? rest.authType : authTypeOf(request.AuthType),
      invokeMode: request.InvokeMode === undefined ? rest.invokeMode : invokeModeOf(request.InvokeMode),
      ...(request.Cors ? cors && { cors } : kept && { cors: kept }),
      modifiedAt: clock.now(),
    })
    return { writes: [{ key: urlKey(url.urlId), ifRev: before.rev, doc: asJson(url) }], result: url }
  })
}

export function deleteUrl(
  { documents, committer }: Pick<Needs, 'documents' | 'committer'>,
  id: FunctionId,
  qualifier: string,
): Promise<void> {
  return committer.run(functionKey(id), async () => {
    const { doc, rev } = await requireUrl(documents, id, qualifier)
    return {
      writes: [
        { key: functionUrlKey(id, qualifier), doc: null },
        { key: urlKey(doc.urlId), ifRev: rev, doc: null },
      ],
      result: undefined,
    }
  })
}
