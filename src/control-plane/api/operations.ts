/** The operations on functions, by their names in the API model. */
import { ACCOUNT_CONCURRENCY } from '#contracts/limits.ts'
import type { Meta } from '#store/port.ts'
import type { OperationHandlers } from '#wire/service.ts'

import { createCommitter } from '../commit.ts'
import type { Dependencies } from '../dependencies.ts'
import { createDocuments } from '../documents.ts'
import { createUrlName } from '../urls/url-name.ts'
import { addPermissionHandler } from './add-permission.ts'
import { createAliasHandler } from './create-alias.ts'
import { createCapacityProviderHandler } from './create-capacity-provider.ts'
import { createCodeSigningConfigHandler } from './create-code-signing-config.ts'
import { createEventSourceMappingHandler } from './create-event-source-mapping.ts'
import { createFunctionHandler } from './create-function.ts'
import { createFunctionUrlConfigHandler } from './create-function-url-config.ts'
import { deleteAliasHandler } from './delete-alias.ts'
import { deleteCapacityProviderHandler } from './delete-capacity-provider.ts'
import { deleteCodeSigningConfigHandler } from './delete-code-signing-config.ts'
import { deleteEventSourceMappingHandler } from './delete-event-source-mapping.ts'
import { deleteFunctionHandler } from './delete-function.ts'
import { deleteFunctionCodeSigningConfigHandler } from './delete-function-code-signing-config.ts'
import { deleteFunctionConcurrencyHandler } from './delete-function-concurrency.ts'
import { deleteFunctionEventInvokeConfigHandler } from './delete-function-event-invoke-config.ts'
import { deleteFunctionUrlConfigHandler } from './delete-function-url-config.ts'
import { deleteProvisionedConcurrencyConfigHandler } from './delete-provisioned-concurrency-config.ts'
import { deleteResourcePolicyHandler } from './delete-resource-policy.ts'
import { getAccountSettingsHandler } from './get-account-settings.ts'
import { getAliasHandler } from './get-alias.ts'
import { getCapacityProviderHandler } from './get-capacity-provider.ts'
import { getCodeSigningConfigHandler } from './get-code-signing-config.ts'
import { getEventSourceMappingHandler } from './get-event-source-mapping.ts'
import { getFunctionHandler } from './get-function.ts'
import { getFunctionCodeSigningConfigHandler } from './get-function-code-signing-config.ts'
import { getFunctionConcurrencyHandler } from './get-function-concurrency.ts'
import { getFunctionConfigurationHandler } from './get-function-configuration.ts'
import { getFunctionEventInvokeConfigHandler } from './get-function-event-invoke-config.ts'
import { getFunctionRecursionConfigHandler } from './get-function-recursion-config.ts'
import { getFunctionScalingConfigHandler } from './get-function-scaling-config.ts'
import { getFunctionUrlConfigHandler } from './get-function-url-config.ts'
import { getPolicyHandler } from './get-policy.ts'
import { getProvisionedConcurrencyConfigHandler } from './get-provisioned-concurrency-config.ts'
import { getResourcePolicyHandler } from './get-resource-policy.ts'
import { getRuntimeManagementConfigHandler } from './get-runtime-management-config.ts'
import { listAliasesHandler } from './list-aliases.ts'
import { listCapacityProvidersHandler } from './list-capacity-providers.ts'
import { listCodeSigningConfigsHandler } from './list-code-signing-configs.ts'
import { listEventSourceMappingsHandler } from './list-event-source-mappings.ts'
import { listFunctionEventInvokeConfigsHandler } from './list-function-event-invoke-configs.ts'
import { listFunctionUrlConfigsHandler } from './list-function-url-configs.ts'
import { listFunctionVersionsByCapacityProviderHandler } from './list-function-versions-by-capacity-provider.ts'
import { listFunctionsHandler } from './list-functions.ts'
import { listFunctionsByCodeSigningConfigHandler } from './list-functions-by-code-signing-config.ts'
import { listProvisionedConcurrencyConfigsHandler } from './list-provisioned-concurrency-configs.ts'
import { listTagsHandler } from './list-tags.ts'
import { listVersionsByFunctionHandler } from './list-versions-by-function.ts'
import { publishVersionHandler } from './publish-version.ts'
import { putFunctionCodeSigningConfigHandler } from './put-function-code-signing-config.ts'
import { putFunctionConcurrencyHandler } from './put-function-concurrency.ts'
import { putFunctionEventInvokeConfigHandler } from './put-function-event-invoke-config.ts'
import { putFunctionRecursionConfigHandler } from './put-function-recursion-config.ts'
import { putFunctionScalingConfigHandler } from './put-function-scaling-config.ts'
import { putProvisionedConcurrencyConfigHandler } from './put-provisioned-concurrency-config.ts'
import { putResourcePolicyHandler } from './put-resource-policy.ts'
import { putRuntimeManagementConfigHandler } from './put-runtime-management-config.ts'
import { removePermissionHandler } from './remove-permission.ts'
import { tagResourceHandler } from './tag-resource.ts'
import { untagResourceHandler } from './untag-resource.ts'
import { updateAliasHandler } from './update-alias.ts'
import { updateCapacityProviderHandler } from './update-capacity-provider.ts'
import { updateCodeSigningConfigHandler } from './update-code-signing-config.ts'
import { updateEventSourceMappingHandler } from './update-event-source-mapping.ts'
import { updateFunctionCodeHandler } from './update-function-code.ts'
import { updateFunctionConfigurationHandler } from './update-function-configuration.ts'
import { updateFunctionEventInvokeConfigHandler } from './update-function-event-invoke-config.ts'
import { updateFunctionUrlConfigHandler } from './update-function-url-config.ts'

export interface LambdaOperationsOptions extends Pick<
  Dependencies,
  | 'activation'
  | 'mappingProgress'
  | 'providerLifecycle'
  | 'scaling'
  | 'codeStore'
  | 'images'
  | 'layers'
  | 'hostResources'
  | 'environments'
  | 'filters'
  | 'packageKeys'
  | 'keyReaders'
  | 'imageReaders'
  | 'roles'
  | 'clock'
  | 'random'
> {
  readonly meta: Meta
  /** Concurrency of the account and region; 1,000 unless told otherwise. */
  readonly accountConcurrency?: number
  /** Form of function URLs, such as `https://{id}.lambda-url.{region}.example.org/`; see `createUrlName`. */
  readonly functionUrl?: string | undefined
}

/** Layers and others add their own operations beside these. */
export function createLambdaOperations(options: LambdaOperationsOptions): OperationHandlers {
  const { meta, accountConcurrency = ACCOUNT_CONCURRENCY, functionUrl, ...rest } = options
  const dependencies: Dependencies = {
    ...rest,
    accountConcurrency,
    urlName: createUrlName(functionUrl),
    documents: createDocuments(meta),
    committer: createCommitter(meta),
  }
  return {
    AddPermission: addPermissionHandler(dependencies),
    CreateAlias: createAliasHandler(dependencies),
    CreateCapacityProvider: createCapacityProviderHandler(dependencies),
    CreateCodeSigningConfig: createCodeSigningConfigHandler(dependencies),
    CreateEventSourceMapping: createEventSourceMappingHandler(dependencies),
    CreateFunction: createFunctionHandler(dependencies),
    CreateFunctionUrlConfig: createFunctionUrlConfigHandler(dependencies),
    DeleteAlias: deleteAliasHandler(dependencies),
    DeleteCapacityProvider: deleteCapacityProviderHandler(dependencies),
    DeleteCodeSigningConfig: deleteCodeSigningConfigHandler(dependencies),
    DeleteEventSourceMapping: deleteEventSourceMappingHandler(dependencies),
    DeleteFunction: deleteFunctionHandler(dependencies),
    DeleteFunctionCodeSigningConfig: deleteFunctionCodeSigningConfigHandler(dependencies),
    DeleteFunctionConcurrency: deleteFunctionConcurrencyHandler(dependencies),
    DeleteFunctionEventInvokeConfig: deleteFunctionEventInvokeConfigHandler(dependencies),
    DeleteFunctionUrlConfig: deleteFunctionUrlConfigHandler(dependencies),
    DeleteProvisionedConcurrencyConfig: deleteProvisionedConcurrencyConfigHandler(dependencies),
    DeleteResourcePolicy: deleteResourcePolicyHandler(dependencies),
    GetAccountSettings: getAccountSettingsHandler(dependencies),
    GetAlias: getAliasHandler(dependencies),
    GetCapacityProvider: getCapacityProviderHandler(dependencies),
    GetCodeSigningConfig: getCodeSigningConfigHandler(dependencies),
    GetEventSourceMapping: getEventSourceMappingHandler(dependencies),
    GetFunction: getFunctionHandler(dependencies),
    GetFunctionCodeSigningConfig: getFunctionCodeSigningConfigHandler(dependencies),
    GetFunctionConcurrency: getFunctionConcurrencyHandler(dependencies),
    GetFunctionConfiguration: getFunctionConfigurationHandler(dependencies),
    GetFunctionEventInvokeConfig: getFunctionEventInvokeConfigHandler(dependencies),
    GetFunctionRecursionConfig: getFunctionRecursionConfigHandler(dependencies),
    GetFunctionScalingConfig: getFunctionScalingConfigHandler(dependencies),
    GetFunctionUrlConfig: getFunctionUrlConfigHandler(dependencies),
    GetPolicy: getPolicyHandler(dependencies),
    GetProvisionedConcurrencyConfig: getProvisionedConcurrencyConfigHandler(dependencies),
    GetResourcePolicy: getResourcePolicyHandler(dependencies),
    GetRuntimeManagementConfig: getRuntimeManagementConfigHandler(dependencies),
    ListAliases: listAliasesHandler(dependencies),
    ListCapacityProviders: listCapacityProvidersHandler(dependencies),
    ListCodeSigningConfigs: listCodeSigningConfigsHandler(dependencies),
    ListEventSourceMappings: listEventSourceMappingsHandler(dependencies),
    ListFunctionEventInvokeConfigs: listFunctionEventInvokeConfigsHandler(dependencies),
    ListFunctionUrlConfigs: listFunctionUrlConfigsHandler(dependencies),
    ListFunctionVersionsByCapacityProvider: listFunctionVersionsByCapacityProviderHandler(dependencies),
    ListFunctions: listFunctionsHandler(dependencies),
    ListFunctionsByCodeSigningConfig: listFunctionsByCodeSigningConfigHandler(dependencies),
    ListProvisionedConcurrencyConfigs: listProvisionedConcurrencyConfigsHandler(dependencies),
    ListTags: listTagsHandler(dependencies),
    ListVersionsByFunction: listVersionsByFunctionHandler(dependencies),
    PublishVersion: publishVersionHandler(dependencies),
    PutFunctionCodeSigningConfig: putFunctionCodeSigningConfigHandler(dependencies),
    PutFunctionConcurrency: putFunctionConcurrencyHandler(dependencies),
    PutFunctionEventInvokeConfig: putFunctionEventInvokeConfigHandler(dependencies),
    PutFunctionRecursionConfig: putFunctionRecursionConfigHandler(dependencies),
    PutFunctionScalingConfig: putFunctionScalingConfigHandler(dependencies),
    PutProvisionedConcurrencyConfig: putProvisionedConcurrencyConfigHandler(dependencies),
    PutResourcePolicy: putResourcePolicyHandler(dependencies),
    PutRuntimeManagementConfig: putRuntimeManagementConfigHandler(dependencies),
    RemovePermission: removePermissionHandler(dependencies),
    TagResource: tagResourceHandler(dependencies),
    UntagResource: untagResourceHandler(dependencies),
    UpdateAlias: updateAliasHandler(dependencies),
    UpdateCapacityProvider: updateCapacityProviderHandler(dependencies),
    UpdateCodeSigningConfig: updateCodeSigningConfigHandler(dependencies),
    UpdateEventSourceMapping: updateEventSourceMappingHandler(dependencies),
    UpdateFunctionCode: updateFunctionCodeHandler(dependencies),
    UpdateFunctionConfiguration: updateFunctionConfigurationHandler(dependencies),
    UpdateFunctionEventInvokeConfig: updateFunctionEventInvokeConfigHandler(dependencies),
    UpdateFunctionUrlConfig: updateFunctionUrlConfigHandler(dependencies),
  }
}
