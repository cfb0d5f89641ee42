/** The hand-established part of the parity table, by topic. */
import { aliasCases } from './cases/aliases.ts'
import { codeSigningCases } from './cases/code-signing.ts'
import { concurrencyCases } from './cases/concurrency.ts'
import { eventInvokeConfigCases } from './cases/event-invoke-config.ts'
import { functionRefusalCases } from './cases/function-refusals.ts'
import { functionCases } from './cases/functions.ts'
import { functionUrlCases } from './cases/function-urls.ts'
import { layerPolicyCases } from './cases/layer-policies.ts'
import { layerCases } from './cases/layers.ts'
import { policyCases } from './cases/policies.ts'
import { tagCases } from './cases/tags.ts'
import { versionCases } from './cases/versions.ts'
import type { ParityCase } from './parity-case.ts'

export const allCases: readonly ParityCase[] = [
  functionCases,
  functionRefusalCases,
  versionCases,
  aliasCases,
  tagCases,
  concurrencyCases,
  eventInvokeConfigCases,
  policyCases,
  layerCases,
  layerPolicyCases,
  functionUrlCases,
  codeSigningCases,
].flat()
