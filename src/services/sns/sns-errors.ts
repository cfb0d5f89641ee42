/** SNS's errors. Texts recorded from AWS unless a comment says otherwise. */
import { LambdaError } from '#contracts/errors.ts'

const failed = (code: string, status: number) => (message: string) =>
  new LambdaError(code, message, { status })

const invalidParameterCode = failed('InvalidParameter', 400)
export const invalidParameter = (what: string) => invalidParameterCode(`Invalid parameter: ${what}`)
/** The few texts that do not begin with the usual words. */
export const invalid = invalidParameterCode
export const invalidValue = failed('ParameterValueInvalid', 400)

export const noSuchTopic = () => failed('NotFound', 404)('Topic does not exist')
export const noSuchSubscription = () => failed('NotFound', 404)('Subscription does not exist')
/** Text as other services of AWS have it of tags; recorded for SNS by clients. */
export const noSuchResource = () => failed('ResourceNotFound', 404)('Resource does not exist')
export const missing = (parameter: string) =>
  invalidParameter(`${parameter} Reason: no value for required parameter`)

/** Text as clients report it. */
export const notAuthorized = (caller: string, operation: string, resource: string) =>
  failed(
    'AuthorizationError',
    403,
  )(
    `User: ${caller} is not authorized to perform: SNS:${operation} on resource: ${resource} because no resource-based policy allows the SNS:${operation} action`,
  )

export const emptyBatch = () =>
  failed('EmptyBatchRequest', 400)("The batch request doesn't contain any entries.")
export const tooManyEntries = () =>
  failed('TooManyEntriesInBatchRequest', 400)('The batch request contains more entries than permissible.')
export const idsNotDistinct = () =>
  failed('BatchEntryIdsNotDistinct', 400)('Two or more batch entries in the request have the same Id.')
/** Text from the API reference. */
export const invalidEntryId = () =>
  failed(
    'InvalidBatchEntryId',
    400,
  )("The Id of a batch entry in a batch request doesn't abide by the specification.")
export const batchTooLong = () =>
  failed('BatchRequestTooLong', 400)('The length of all the messages put together is more than the limit.')

/** Texts of the limits are unverified. */
export const tooManyTopics = () =>
  failed('TopicLimitExceeded', 403)('The maximum number of topics has been reached')
export const tooManySubscriptions = () =>
  failed('SubscriptionLimitExceeded', 403)('The maximum number of subscriptions has been reached')
export const tooManyFilters = () =>
  failed('FilterPolicyLimitExceeded', 403)('The maximum number of filter policies has been reached')
export const tooManyTags = () =>
  failed('TagLimitExceeded', 400)('Could not complete request: tag quota of per resource exceeded')
export const throttled = () =>
  new LambdaError('Throttled', 'Rate exceeded', { status: 429, headers: { 'Retry-After': '1' } })
export const tooContended = () =>
  failed('ConcurrentAccess', 400)('The resource was changed by several requests at once')
