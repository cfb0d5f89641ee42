/** GetAccountSettings: the limits, and sums that are kept as functions and layers come and go. */
import type { GetAccountSettingsRequest, GetAccountSettingsResponse } from '@aws-sdk/client-lambda'

import { MAX_CODE_STORAGE_BYTES, MAX_UNZIPPED_BYTES, MAX_ZIP_BYTES } from '#contracts/limits.ts'
import type { OperationHandler } from '#wire/service.ts'

import type { Dependencies } from '../dependencies.ts'

export const getAccountSettingsHandler =
  ({
    documents,
    accountConcurrency,
  }: Pick<Dependencies, 'documents' | 'accountConcurrency'>): OperationHandler<
    GetAccountSettingsRequest,
    GetAccountSettingsResponse
  > =>
  async (_input, { account, region }) => {
    const { doc: counters } = await documents.counters({ account, region })
    return {
      AccountLimit: {
        TotalCodeSize: MAX_CODE_STORAGE_BYTES,
        CodeSizeUnzipped: MAX_UNZIPPED_BYTES,
        CodeSizeZipped: MAX_ZIP_BYTES,
        ConcurrentExecutions: accountConcurrency,
        UnreservedConcurrentExecutions: accountConcurrency - counters.reservedConcurrency,
      },
      AccountUsage: { TotalCodeSize: counters.codeSizeBytes, FunctionCount: counters.functionCount },
    }
  }
