/** The operations on functions, by their names in the API model. */
import { ACCOUNT_CONCURRENCY } from '#contracts/limits.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandlers } from '#wire/service.ts'

import { createCommitter } from '../commit.ts'
import type { Dependencies } from '../dependencies.ts'
import { createDocuments } from '../documents.ts'
import { createAliasHandler } from './create-alias.ts'
import { createFunctionHandler } from './create-function.ts'
import { deleteAliasHandler } from './delete-alias.ts'
import { deleteFunctionHandler } from './delete-function.ts'
import { deleteFunctionConcurrencyHandler } from './delete-function-concurrency.ts'
import { deleteFunctionEventInvokeConfigHandler } from './delete-function-event-invoke-config.ts'
import { getAccountSettingsHandler } from './get-account-settings.ts'
import { getAliasHandler } from './get-alias.ts'
import { getFunctionHandler } from './get-function.ts'
import { getFunctionCodeSigningConfigHandler } from './get-function-code-signing-config.ts'
import { getFunctionConcurrencyHandler } from './get-function-concurrency.ts'
import { getFunctionConfigurationHandler } from './get-function-configuration.ts'
import { getFunctionEventInvokeConfigHandler } from './get-function-event-invoke-config.ts'
import { getFunctionRecursionConfigHandler } from './get-function-recursion-config.ts'
import { getFunctionUrlConfigHandler } from './get-function-url-config.ts'
import { getPolicyHandler } from './get-policy.ts'
import { getProvisionedConcurrencyConfigHandler } from './get-provisioned-concurrency-config.ts'
import { getRuntimeManagementConfigHandler } from './get-runtime-management-config.ts'
import { listAliasesHandler } from './list-aliases.ts'
import { listEventSourceMappingsHandler } from './list-event-source-mappings.ts'
import { listFunctionEventInvokeConfigsHandler } from './list-function-event-invoke-configs.ts'
import { listFunctionUrlConfigsHandler } from './list-function-url-configs.ts'
import { listFunctionsHandler } from './list-functions.ts'
import { listProvisionedConcurrencyConfigsHandler } from './list-provisioned-concurrency-configs.ts'
import { listTagsHandler } from './list-tags.ts'
import { listVersionsByFunctionHandler } from './list-versions-by-function.ts'
import { publishVersionHandler } from './publish-version.ts'
import { putFunctionConcurrencyHandler } from './put-function-concurrency.ts'
import { putFunctionEventInvokeConfigHandler } from './put-function-event-invoke-config.ts'
import { tagResourceHandler } from './tag-resource.ts'
import { untagResourceHandler } from './untag-resource.ts'
import { updateAliasHandler } from './update-alias.ts'
import { updateFunctionCodeHandler } from './update-function-code.ts'
import { updateFunctionConfigurationHandler } from './update-function-configuration.ts'
import { updateFunctionEventInvokeConfigHandler } from './update-function-event-invoke-config.ts'

export interface LambdaOperationsOptions extends Pick<
  Dependencies,
  'activation' | 'codeStore' | 'layers' | 'sealer' | 'clock' | 'random'
> {
  readonly meta: Meta
  /** Concurrency of the account and region; 1,000 unless told otherwise. */
  readonly accountConcurrency?: number
}

/** Layers, event source mappings and others add their own operations beside these. */
export function createLambdaOperations(options: LambdaOperationsOptions): OperationHandlers {
  const { meta, accountConcurrency = ACCOUNT_CONCURRENCY, ...rest } = options
  const dependencies: Dependencies = {
    ...rest,
    accountConcurrency,
    documents: createDocuments(meta),
    committer: createCommitter(meta),
  }
  return {
    CreateAlias: createAliasHandler(dependencies),
    CreateFunction: createFunctionHandler(dependencies),
    DeleteAlias: deleteAliasHandler(dependencies),
    DeleteFunction: deleteFunctionHandler(dependencies),
    DeleteFunctionConcurrency: deleteFunctionConcurrencyHandler(dependencies),
    DeleteFunctionEventInvokeConfig: deleteFunctionEventInvokeConfigHandler(dependencies),
    GetAccountSettings: getAccountSettingsHandler(dependencies),
    GetAlias: getAliasHandler(dependencies),
    GetFunction: getFunctionHandler(dependencies),
    GetFunctionCodeSigningConfig: getFunctionCodeSigningConfigHandler(dependencies),
    GetFunctionConcurrency: getFunctionConcurrencyHandler(dependencies),
    GetFunctionConfiguration: getFunctionConfigurationHandler(dependencies),
    GetFunctionEventInvokeConfig: getFunctionEventInvokeConfigHandler(dependencies),
    GetFunctionRecursionConfig: getFunctionRecursionConfigHandler(dependencies),
    GetFunctionUrlConfig: getFunctionUrlConfigHandler(),
    GetPolicy: getPolicyHandler(dependencies),
    GetProvisionedConcurrencyConfig: getProvisionedConcurrencyConfigHandler(dependencies),
    GetRuntimeManagementConfig: getRuntimeManagementConfigHandler(dependencies),
    ListAliases: listAliasesHandler(dependencies),
    ListEventSourceMappings: listEventSourceMappingsHandler(),
    ListFunctionEventInvokeConfigs: listFunctionEventInvokeConfigsHandler(dependencies),
    ListFunctionUrlConfigs: listFunctionUrlConfigsHandler(dependencies),
    ListFunctions: listFunctionsHandler(dependencies),
    ListProvisionedConcurrencyConfigs: listProvisionedConcurrencyConfigsHandler(dependencies),
    ListTags: listTagsHandler(dependencies),
    ListVersionsByFunction: listVersionsByFunctionHandler(dependencies),
    PublishVersion: publishVersionHandler(dependencies),
    PutFunctionConcurrency: putFunctionConcurrencyHandler(dependencies),
    PutFunctionEventInvokeConfig: putFunctionEventInvokeConfigHandler(dependencies),
    TagResource: tagResourceHandler(dependencies),
    UntagResource: untagResourceHandler(dependencies),
    UpdateAlias: updateAliasHandler(dependencies),
    UpdateFunctionCode: updateFunctionCodeHandler(dependencies),
    UpdateFunctionConfiguration: updateFunctionConfigurationHandler(dependencies),
    UpdateFunctionEventInvokeConfig: updateFunctionEventInvokeConfigHandler(dependencies),
  }
}
