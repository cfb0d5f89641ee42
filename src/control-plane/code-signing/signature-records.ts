/** What the store knows of signatures: whose are trusted, and which were taken back. */
import { X509Certificate } from 'node:crypto'

import type { CodeSignature } from '#contracts/code-signing.ts'
import {
  parseSignerArn,
  SIGNER_AUTHORITY_KEY,
  signingJobKey,
  signingProfileKey,
  type SignerAuthority,
  type SigningJob,
  type SigningProfile,
} from '#contracts/signer.ts'
import type { Meta, MetaRow } from '#store/port.ts'

import { docOf } from '../documents.ts'

/** Certificates that a signature must lead to; none before the first package was signed. */
export async function trustedRoots(meta: Meta): Promise<readonly X509Certificate[]> {
  const row = await meta.get(SIGNER_AUTHORITY_KEY)
  return row ? [new X509Certificate(Buffer.from(docOf<SignerAuthority>(row).certificate, 'base64'))] : []
}

const docIn = <Doc>(row: MetaRow | null): Doc | undefined => (row ? docOf<Doc>(row) : undefined)

/**
 * Whether the signature, or its profile from a moment before it on, was revoked. A signature whose job or profile the
 * store has lost counts as revoked: nobody can say that it was not.
 */
export async function isRevoked(meta: Meta, signature: CodeSignature): Promise<boolean> {
  if (signature.broken !== undefined) return true
  const job = parseSignerArn(signature.jobArn)
  const profile = parseSignerArn(signature.profileVersionArn)
  if (!job || !profile) return true
  const jobDoc = docIn<SigningJob>(await meta.get(signingJobKey(job, job.id)))
  const profileDoc = docIn<SigningProfile>(await meta.get(signingProfileKey(profile, profile.id)))
  if (!jobDoc || !profileDoc || profileDoc.version !== profile.version) return true
  const effectiveFrom = profileDoc.revocation?.effectiveFrom ?? Number.POSITIVE_INFINITY
  return jobDoc.revocation !== undefined || signature.signedAt > effectiveFrom
}

/** The members of the API that name a signature; nothing for code that is not signed, or not properly. */
export const signatureView = (signature: CodeSignature | undefined) =>
  signature?.broken === undefined && signature !== undefined
    ? { SigningProfileVersionArn: signature.profileVersionArn, SigningJobArn: signature.jobArn }
    : {}
