/** Actions and resources of CloudWatch Logs. The ARNs are those that AWS's own denials name. Pure. */
import { logsModel } from '#wire/models/logs.ts'

import { accountOf, keysOf, list, tagKeys, text, type NeedsOf, type ServiceNeeds } from './need.ts'

const onStream =
  (action: string): NeedsOf =>
  (input, { account, region }) => {
    const { logGroupName, logGroupIdentifier, logStreamName } = input
    const named = text(logGroupIdentifier)
    const group = text(logGroupName) ?? named?.replace(/^arn:.*?:log-group:/, '').replace(/:\*$/, '') ?? ''
    const owner = (named && accountOf(named)) || account
    const resource = `arn:aws:logs:${region}:${owner}:log-group:${group}:log-stream:${text(logStreamName) ?? ''}`
    return [{ action: `logs:${action}`, resource, account: owner }]
  }

const byResourceArn =
  (action: string): NeedsOf =>
  (input, { account }) => {
    const resource = text(input['resourceArn']) ?? '*'
    const keys = { ...keysOf({ 'aws:tagkeys': list(input['tagKeys']) }), ...tagKeys(input['tags']) }
    return [{ action: `logs:${action}`, resource, account: accountOf(resource) ?? account, keys }]
  }

const BY_ARN = new Set(['TagResource', 'UntagResource', 'ListTagsForResource'])

export const logsNeeds: ServiceNeeds = Object.fromEntries(
  Object.keys(logsModel.operations).map((operation) => [
    operation,
    BY_ARN.has(operation) ? byResourceArn(operation) : onStream(operation),
  ]),
)
