// One durable function that does what AWS's conformance requirements describe, by their numbers; and their targets.
const { withDurableExecution } = require('@aws/durable-execution-sdk-js')

const flows = {
  ...require('./steps-and-waits.cjs'),
  ...require('./children-and-invokes.cjs'),
  ...require('./callbacks.cjs'),
  ...require('./conditions.cjs'),
  ...require('./batches.cjs'),
}
/** Long enough for the caller to have gone to sleep: that comes first in the histories. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 500))
const targets = {
  echo: async (event) => {
    await aMoment()
    return event
  },
  error: async () => {
    await aMoment()
    throw new Error('the target fails')
  },
}

/** Whether this invocation is not the first one of its execution: there are operations already. */
let isReplay = false
const target = targets[process.env.TARGET]
const durable = withDurableExecution(
  target ?? (({ id, input }, context) => flows[id](context, input, { isReplay })),
)

exports.handler = (event, lambdaContext) => {
  isReplay = (event.InitialExecutionState?.Operations ?? []).length > 1
  return durable(event, lambdaContext)
}
