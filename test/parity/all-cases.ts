/** The hand-established part of the parity table, by topic. */
import { aliasCases } from './cases/aliases.ts'
import { callbackCases } from './cases/callbacks.ts'
import { capacityProviderCases } from './cases/capacity-providers.ts'
import { checkpointCases } from './cases/checkpoints.ts'
import { codeSigningCases } from './cases/code-signing.ts'
import { concurrencyCases } from './cases/concurrency.ts'
import { configurationCases } from './cases/configurations.ts'
import { customerKeyCases } from './cases/customer-keys.ts'
import { documentedErrorCases } from './cases/documented-errors.ts'
import { durableCases } from './cases/durable.ts'
import { eventInvokeConfigCases } from './cases/event-invoke-config.ts'
import { eventSourceMappingCases } from './cases/event-source-mappings.ts'
import { functionRefusalCases } from './cases/function-refusals.ts'
import { functionCases } from './cases/functions.ts'
import { functionUrlCases } from './cases/function-urls.ts'
import { invocationCases } from './cases/invocations.ts'
import { layerPolicyCases } from './cases/layer-policies.ts'
import { layerCases } from './cases/layers.ts'
import { listCases } from './cases/lists.ts'
import { policyCases } from './cases/policies.ts'
import { provisionedConcurrencyCases } from './cases/provisioned-concurrency.ts'
import { resourcePolicyCases } from './cases/resource-policies.ts'
import { settingCases } from './cases/settings.ts'
import { tagCases } from './cases/tags.ts'
import { versionCases } from './cases/versions.ts'
import type { ParityCase } from './parity-case.ts'

export const allCases: readonly ParityCase[] = [
  functionCases,
  functionRefusalCases,
  configurationCases,
  versionCases,
  aliasCases,
  tagCases,
  concurrencyCases,
  eventInvokeConfigCases,
  eventSourceMappingCases,
  provisionedConcurrencyCases,
  capacityProviderCases,
  invocationCases,
  durableCases,
  callbackCases,
  checkpointCases,
  documentedErrorCases,
  customerKeyCases,
  policyCases,
  resourcePolicyCases,
  settingCases,
  listCases,
  layerCases,
  layerPolicyCases,
  functionUrlCases,
  codeSigningCases,
].flat()
