/** Keys of the documents in the Meta store. Keys sort bytewise, so numbers in them are padded. */
import { LATEST, type FunctionId, type Scope } from '#contracts/arn.ts'

const scope = ({ account, region }: Scope) => `${account}/${region}`
/** Twelve digits sort right up to 10^12 versions. */
const padded = (number: number | string) => String(number).padStart(12, '0')

/** `$LATEST` and `$LATEST.PUBLISHED` sort before the numbers as they are. */
const versionPart = (version: string) => (version.startsWith('$') ? version : padded(version))

/** Every function of every account, for the rare walk over all of them. */
export const ALL_FUNCTIONS = 'function/'
export const ALL_VERSIONS = 'version/'

export const functionPrefix = (where: Scope) => `function/${scope(where)}/`
export const functionKey = (id: FunctionId) => `${functionPrefix(id)}${id.name}`

export const versionPrefix = (id: FunctionId) => `version/${scope(id)}/${id.name}/`
/** Key of a published version. `$LATEST` lives in the head document and has no key of its own. */
export const versionKey = (id: FunctionId, version: string) => {
  if (version === LATEST) throw new Error('$LATEST has no document of its own')
  return `${versionPrefix(id)}${versionPart(version)}`
}

export const aliasPrefix = (id: FunctionId) => `alias/${scope(id)}/${id.name}/`
export const aliasKey = (id: FunctionId, alias: string) => `${aliasPrefix(id)}${alias}`

export const layerPrefix = (where: Scope) => `layer/${scope(where)}/`
/** Head of a layer: the number of the next version and of the latest one. */
export const layerKey = (where: Scope, name: string) => `${layerPrefix(where)}${name}`
export const layerVersionPrefix = (where: Scope, name: string) => `layer-version/${scope(where)}/${name}/`
export const layerVersionKey = (where: Scope, name: string, version: number) =>
  `${layerVersionPrefix(where, name)}${padded(version)}`

export const eventInvokeConfigPrefix = (id: FunctionId) => `event-invoke/${scope(id)}/${id.name}/`
export const eventInvokeConfigKey = (id: FunctionId, qualifier: string) =>
  `${eventInvokeConfigPrefix(id)}${qualifier}`

/** Every configuration of every account. */
export const ALL_PROVISIONED_CONCURRENCY = 'provisioned/'
export const provisionedConcurrencyPrefix = (id: FunctionId) =>
  `${ALL_PROVISIONED_CONCURRENCY}${scope(id)}/${id.name}/`
/** What is to be kept initialised of a version or alias: `ProvisionedConcurrency`. */
export const provisionedConcurrencyKey = (id: FunctionId, qualifier: string) =>
  `${provisionedConcurrencyPrefix(id)}${qualifier}`
/** Every state of every account. */
export const ALL_PROVISIONED_STATES = 'provisioned-state/'
export const provisionedStatePrefix = (id: FunctionId) => `${ALL_PROVISIONED_STATES}${scope(id)}/${id.name}/`
/** What has become of it: `ProvisionedConcurrencyState`, written by the data plane alone. */
export const provisionedStateKey = (id: FunctionId, qualifier: string) =>
  `${provisionedStatePrefix(id)}${qualifier}`

export const policyPrefix = (id: FunctionId) => `policy/${scope(id)}/${id.name}/`
/** Resource policy of a version, of an alias, or with `$LATEST` of the function itself: `ResourcePolicy`. */
export const policyKey = (id: FunctionId, qualifier: string) => `${policyPrefix(id)}${qualifier}`

/** Function URL by its id, wherever it belongs: `FunctionUrl`. All that a door for HTTP requests has to read. */
export const urlKey = (urlId: string) => `url/${urlId}`
export const functionUrlPrefix = (id: FunctionId) => `function-url/${scope(id)}/${id.name}/`
/** Which URL an alias has, or with `$LATEST` the function itself: `FunctionUrlPointer`. */
export const functionUrlKey = (id: FunctionId, qualifier: string) => `${functionUrlPrefix(id)}${qualifier}`

export const runtimeManagementPrefix = (id: FunctionId) => `runtime-management/${scope(id)}/${id.name}/`
/** How a version, or `$LATEST`, follows its runtime's updates: `RuntimeManagement`. */
export const runtimeManagementKey = (id: FunctionId, version: string) =>
  `${runtimeManagementPrefix(id)}${version}`

export const codeSigningConfigPrefix = (where: Scope) => `code-signing/${scope(where)}/`
export const codeSigningConfigKey = (where: Scope, configId: string) =>
  `${codeSigningConfigPrefix(where)}${configId}`
/** The functions that use a code signing configuration, one empty document each. */
export const codeSigningUsePrefix = (where: Scope, configId: string) =>
  `code-signing-use/${scope(where)}/${configId}/`
export const codeSigningUseKey = (id: FunctionId, configId: string) =>
  `${codeSigningUsePrefix(id, configId)}${id.name}`

/** Every event source mapping of every account: what pollers follow. */
export const ALL_MAPPINGS = 'mapping/'
export const mappingPrefix = (where: Scope) => `${ALL_MAPPINGS}${scope(where)}/`
/** `EventSourceMapping`. */
export const mappingKey = (where: Scope, uuid: string) => `${mappingPrefix(where)}${uuid}`
/** The mappings of a function, one empty document each. They outlive the function. */
export const mappingOfFunctionPrefix = (id: FunctionId) => `mapping-function/${scope(id)}/${id.name}/`
/** The mappings of a source, one empty document each; the digest is that of the source's ARN. */
export const mappingOfSourcePrefix = (where: Scope, digest: string) =>
  `mapping-source/${scope(where)}/${digest}/`
/** The mappings that are on their way to another state, one empty document each behind the key of the mapping. */
export const MAPPINGS_IN_TRANSITION = 'mapping-in-transition/'
export const mappingInTransitionKey = (key: string) => `${MAPPINGS_IN_TRANSITION}${key}`
/** Keeps a function from being mapped twice to the same records: holds the UUID of the mapping that does it. */
export const mappingPairKey = (where: Scope, digest: string) => `mapping-pair/${scope(where)}/${digest}`

/** Every capacity provider of every account. */
export const ALL_CAPACITY_PROVIDERS = 'capacity-provider/'
export const capacityProviderPrefix = (where: Scope) => `${ALL_CAPACITY_PROVIDERS}${scope(where)}/`
/** `CapacityProvider`. */
export const capacityProviderKey = (where: Scope, name: string) => `${capacityProviderPrefix(where)}${name}`
/** Every use of every capacity provider: the versions that have environments kept for them. */
export const ALL_CAPACITY_PROVIDER_USES = 'capacity-provider-use/'
export const capacityProviderUsePrefix = (where: Scope, name: string) =>
  `${ALL_CAPACITY_PROVIDER_USES}${scope(where)}/${name}/`
/** A function version, `$LATEST` included, that uses a capacity provider: `CapacityProviderUse`. */
export const capacityProviderUseKey = (id: FunctionId, version: string, provider: string) =>
  `${capacityProviderUsePrefix(id, provider)}${id.name}/${versionPart(version)}`

export const ALL_FUNCTION_SCALING = 'function-scaling/'
export const functionScalingPrefix = (id: FunctionId) => `${ALL_FUNCTION_SCALING}${scope(id)}/${id.name}/`
/** How many environments a version on a capacity provider may have: `FunctionScaling`. */
export const functionScalingKey = (id: FunctionId, version: string) =>
  `${functionScalingPrefix(id)}${versionPart(version)}`

/** Sums over an account and region: `AccountCounters`. Written in the same transaction as what they count. */
export const accountKey = (where: Scope) => `account/${scope(where)}`

/** Keys of the functions and versions that are on their way to another state, each behind this. An index, without content. */
export const IN_TRANSITION = 'in-transition/'
export const inTransitionKey = (documentKey: string) => `${IN_TRANSITION}${documentKey}`
/** What each function with reserved or provisioned concurrency has of them, its key behind this: `FunctionLimits`. An index. */
export const LIMITED_FUNCTIONS = 'limited/'
export const limitedFunctionKey = (functionDocumentKey: string) =>
  `${LIMITED_FUNCTIONS}${functionDocumentKey}`
/** There once both indexes tell of every document, also of those from before there were indexes. */
export const INDEXES_COMPLETE = 'indexes/complete-2'

/** Blobs that no document named when it was looked for, by digest: `UnusedBlob`. */
export const UNUSED_BLOBS = 'unused-blob/'
export const unusedBlobKey = (sha256: string) => `${UNUSED_BLOBS}${sha256}`
