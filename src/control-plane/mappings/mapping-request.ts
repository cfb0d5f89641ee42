/** What CreateEventSourceMapping and UpdateEventSourceMapping are asked, checked against the API model already. */
import type { CreateEventSourceMappingRequest } from '@aws-sdk/client-lambda'

/** Members of both operations. */
export type SettingsRequest = Omit<
  CreateEventSourceMappingRequest,
  | 'FunctionName'
  | 'EventSourceArn'
  | 'SelfManagedEventSource'
  | 'Topics'
  | 'Queues'
  | 'StartingPosition'
  | 'StartingPositionTimestamp'
  | 'Tags'
>

export type CreateRequest = CreateEventSourceMappingRequest

/** A member that says nothing: left out, or an empty structure or list. */
export function saysNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true
  return typeof value === 'object' && !(value instanceof Date) && Object.keys(value).length === 0
}
