/** DurableConfig: what makes a function durable, and how a later request may change it. Pure. */
import { LATEST } from '#contracts/arn.ts'
import {
  DEFAULT_EXECUTION_TIMEOUT_SECONDS,
  DEFAULT_RETENTION_DAYS,
  type DurableSettings,
} from '#contracts/durable.ts'
import { invalidParameter } from '#contracts/errors.ts'
import type { FunctionVersion } from '#contracts/function.ts'
import { CREATING } from './state.ts'

export interface DurableRequest {
  readonly KMSKeyArn?: string | undefined
  readonly RetentionPeriodInDays?: number | undefined
  readonly ExecutionTimeout?: number | undefined
}

/**
 * A function is durable from its creation on or never; throws InvalidParameterValueException when one that exists is to
 * become so (the rule is AWS's, the text is unverified).
 */
export function changedDurable(version: FunctionVersion, request: DurableRequest): DurableSettings {
  const isNew = version.version === LATEST && version.stateReasonCode === CREATING.stateReasonCode
  if (!version.durable && !isNew) {
    throw invalidParameter('You cannot add a durable configuration to an existing function.')
  }
  const kmsKeyArn = request.KMSKeyArn ?? version.durable?.kmsKeyArn
  return {
    executionTimeoutSeconds:
      request.ExecutionTimeout ??
      version.durable?.executionTimeoutSeconds ??
      DEFAULT_EXECUTION_TIMEOUT_SECONDS,
    retentionDays: request.RetentionPeriodInDays ?? version.durable?.retentionDays ?? DEFAULT_RETENTION_DAYS,
    ...(kmsKeyArn && { kmsKeyArn }),
  }
}
