/** Signing jobs: started, described, listed, their signatures revoked. */
import type {
  DescribeSigningJobRequest,
  ListSigningJobsRequest,
  RevokeSignatureRequest,
  SigningJob as View,
  StartSigningJobRequest,
} from '@aws-sdk/client-signer'

import {
  LAMBDA_PLATFORM,
  openSigningJobKey,
  signingJobKey,
  signingJobPrefix,
  signingTokenKey,
  type SigningJob,
} from '#contracts/signer.ts'
import type { Clock } from '#kernel/clock.ts'
import type { Random } from '#kernel/random.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandler, OperationHandlers } from '#wire/service.ts'

import { commit, docOf, put, read } from '../iam/documents.ts'
import { resultKey, type JobRunner } from './job-runner.ts'
import { PLATFORM_NAME } from './platforms.ts'
import { findProfile } from './profile-operations.ts'
import { noSuchJob, noSuchProfile, tooManyJobs, validation } from './signer-errors.ts'
import { signerPage } from './signer-page.ts'
import { expiryOf } from './validity.ts'

export function createJobOperations(deps: {
  readonly meta: Meta
  readonly runner: JobRunner
  readonly clock: Clock
  readonly random: Random
}): OperationHandlers {
  const { meta, runner, clock, random } = deps

  const start: OperationHandler<StartSigningJobRequest, object> = async (input, context) => {
    const { profileName = '', clientRequestToken = '' } = input
    const source = input.source?.s3
    const target = input.destination?.s3?.bucketName
    if (!source?.bucketName || !source.key || !source.version || !target || !clientRequestToken) {
      throw validation('A source with its version, the bucket of the destination and a token are required')
    }
    const tokenKey = signingTokenKey(context, clientRequestToken)
    const earlier = await read<{ readonly jobId: string }>(meta, tokenKey)
    if (earlier) return { jobId: earlier.doc.jobId, jobOwner: context.account }
    if ((input.profileOwner ?? context.account) !== context.account) throw noSuchProfile(profileName)
    const { doc: profile } = await findProfile(meta, context, profileName)
    if (profile.status !== 'Active') throw validation(`Profile ${profileName} is not active`)
    if (!runner.hasRoom) throw tooManyJobs()
    const now = clock.now()
    const job: SigningJob = {
      account: context.account,
      region: context.region,
      id: random.uuid(),
      profileName,
      profileVersion: profile.version,
      profileAccount: profile.account,
      source: { bucketName: source.bucketName, key: source.key, version: source.version },
      destination: { bucketName: target, prefix: input.destination?.s3?.prefix ?? '' },
      status: 'InProgress',
      createdAt: now,
      expiresAt: expiryOf(now, profile.validity),
      requestedBy: context.principal.arn,
    }
    const jobId = await commit(meta, async () => {
      const other = await read<{ readonly jobId: string }>(meta, tokenKey)
      if (other) return { writes: [], result: other.doc.jobId }
      return {
        writes: [
          put(tokenKey, { jobId: job.id }, 0),
          put(signingJobKey(job, job.id), job, 0),
          put(openSigningJobKey(job.id), { account: job.account, region: job.region, id: job.id }, 0),
        ],
        result: job.id,
      }
    })
    if (jobId === job.id) runner.run(job)
    return { jobId, jobOwner: context.account }
  }

  const describe: OperationHandler<DescribeSigningJobRequest, object> = async ({ jobId = '' }, context) => {
    const job = (await read<SigningJob>(meta, signingJobKey(context, jobId)))?.doc
    if (!job) throw noSuchJob(jobId)
    const { isRevoked: _, ...view } = viewOf(job)
    const { revocation } = job
    return {
      ...view,
      requestedBy: job.requestedBy,
      ...(job.completedAt !== undefined && { completedAt: new Date(job.completedAt) }),
      ...(job.statusReason !== undefined && { statusReason: job.statusReason }),
      ...(revocation && {
        revocationRecord: {
          reason: revocation.reason,
          revokedAt: new Date(revocation.revokedAt),
          revokedBy: revocation.revokedBy,
        },
      }),
    }
  }

  const list: OperationHandler<ListSigningJobsRequest, object> = async (input, context) => {
    const { items, nextToken } = await signerPage(meta, signingJobPrefix(context), input, (row) => {
      const job = docOf<SigningJob>(row)
      return isWanted(job, input) ? viewOf(job) : undefined
    })
    return { jobs: items, ...nextToken }
  }

  const revoke: OperationHandler<RevokeSignatureRequest, object> = async (input, context) => {
    const { jobId = '', reason = '' } = input
    if ((input.jobOwner ?? context.account) !== context.account) throw noSuchJob(jobId)
    await commit(meta, async () => {
      const key = signingJobKey(context, jobId)
      const job = await read<SigningJob>(meta, key)
      if (!job) throw noSuchJob(jobId)
      if (job.doc.status !== 'Succeeded') throw validation(`Job ${jobId} has made no signature`)
      const revocation = { reason, revokedAt: clock.now(), revokedBy: context.principal.arn }
      const writes = job.doc.revocation ? [] : [put(key, { ...job.doc, revocation }, job.rev)]
      return { writes, result: undefined }
    })
    return {}
  }

  return {
    StartSigningJob: start,
    DescribeSigningJob: describe,
    ListSigningJobs: list,
    RevokeSignature: revoke,
  }
}

function isWanted(job: SigningJob, request: ListSigningJobsRequest): boolean {
  const fits = <Value>(wanted: Value | undefined, value: Value) => wanted === undefined || wanted === value
  return (
    fits(request.status, job.status) &&
    fits(request.platformId, LAMBDA_PLATFORM) &&
    fits(request.requestedBy, job.requestedBy) &&
    fits(request.isRevoked, job.revocation !== undefined) &&
    fits(request.jobInvoker, job.account) &&
    job.expiresAt < (request.signatureExpiresBefore?.getTime() ?? Number.POSITIVE_INFINITY) &&
    job.expiresAt > (request.signatureExpiresAfter?.getTime() ?? Number.NEGATIVE_INFINITY)
  )
}

const viewOf = (job: SigningJob): View => ({
  jobId: job.id,
  source: { s3: job.source },
  ...(job.status === 'Succeeded' && {
    signedObject: { s3: { bucketName: job.destination.bucketName, key: resultKey(job) } },
    signatureExpiresAt: new Date(job.expiresAt),
  }),
  createdAt: new Date(job.createdAt),
  status: job.status,
  isRevoked: job.revocation !== undefined,
  profileName: job.profileName,
  profileVersion: job.profileVersion,
  platformId: LAMBDA_PLATFORM,
  platformDisplayName: PLATFORM_NAME,
  jobOwner: job.profileAccount,
  jobInvoker: job.account,
})
