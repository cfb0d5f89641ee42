import type { GetProvisionedConcurrencyConfigResponse } from '@aws-sdk/client-lambda'

import type {
  ProvisionedConcurrency,
  ProvisionedConcurrencyState,
} from '#contracts/provisioned-concurrency.ts'

import { withoutUndefined } from '../functions/configuration.ts'

/** `2019-12-31T20:28:49+0000`, without milliseconds (examples of AWS's command line reference). */
const secondsDate = (milliseconds: number) => `${new Date(milliseconds).toISOString().slice(0, 19)}+0000`

/** What is said of a configuration; as long as the data plane has not taken it up, that it is in progress. */
export function provisionedView(
  config: ProvisionedConcurrency,
  state: ProvisionedConcurrencyState | undefined,
): GetProvisionedConcurrencyConfigResponse {
  const isCurrent = state?.token === config.token
  return withoutUndefined<GetProvisionedConcurrencyConfigResponse>({
    RequestedProvisionedConcurrentExecutions: config.requested,
    AvailableProvisionedConcurrentExecutions: isCurrent ? state.available : 0,
    AllocatedProvisionedConcurrentExecutions: isCurrent ? state.allocated : 0,
    Status: isCurrent ? state.status : 'IN_PROGRESS',
    StatusReason: isCurrent ? state.reason : undefined,
    LastModified: secondsDate(config.modifiedAt),
  })
}
