/** What a durable execution stores of itself, with the token that its function was given. */
import { fnWith } from '../function-bodies.ts'
import { invalid, observed, ok, step, unverified, type Input, type ParityCase } from '../parity-case.ts'

const SHAPES = unverified(
  "the shapes of the API reference, of which AWS's durable execution SDKs read a part; values such as Attempt are a guess",
)
const SDKS = observed("AWS's durable execution SDKs, which look for this text")

/** An execution that is running, and its token. */
const RUNNING = [
  fnWith({
    DurableConfig: { ExecutionTimeout: 60, RetentionPeriodInDays: 1 },
    Timeout: 30,
    Code: { ZipFile: '<token zip>' },
  }),
  step(
    'Invoke',
    {
      FunctionName: 'fn:$LATEST',
      InvocationType: 'Event',
      DurableExecutionName: 'one',
      Payload: Buffer.from('{"a":1}'),
    },
    { as: 'run' },
  ),
  step(
    'ListTags',
    { Resource: 'arn:aws:lambda:us-east-1:000000000000:function:fn' },
    { as: 'shown', until: { member: 'Tags.token' } },
  ),
]
const SHOWN = {
  DurableExecutionArn: '<run.headers.x-amz-durable-execution-arn>',
  CheckpointToken: '<shown.Tags.token>',
}
const STEP = { Id: 's1', Name: 'first', Type: 'STEP' }
const checkpoint = (...Updates: readonly Input[]): Input => ({ ...SHOWN, Updates })
const STARTED = step('CheckpointDurableExecution', checkpoint({ ...STEP, Action: 'START' }), { as: 'next' })
const NEXT = { ...SHOWN, CheckpointToken: '<next.CheckpointToken>' }

const EXECUTION = {
  Id: '<uuid>',
  Name: 'one',
  Type: 'EXECUTION',
  Status: 'STARTED',
  StartTimestamp: '<epoch>',
  ExecutionDetails: { InputPayload: '{"a":1}' },
}
const BEGUN = { ...STEP, Status: 'STARTED', StartTimestamp: '<epoch>', StepDetails: { Attempt: 0 } }
const accepted = (...Operations: readonly unknown[]) =>
  ok({ CheckpointToken: '<token>', NewExecutionState: { Operations } })

export const checkpointCases: readonly ParityCase[] = [
  {
    operation: 'GetDurableExecutionState',
    name: 'of an execution that has just begun',
    given: RUNNING,
    input: SHOWN,
    expect: ok({ NextMarker: '', Operations: [EXECUTION] }),
    source: SHAPES,
  },
  {
    operation: 'CheckpointDurableExecution',
    name: 'nothing: a new token',
    given: RUNNING,
    input: checkpoint(),
    expect: accepted(),
    source: SHAPES,
  },
  {
    operation: 'CheckpointDurableExecution',
    name: 'a step that starts',
    given: RUNNING,
    input: checkpoint({ ...STEP, Action: 'START' }),
    expect: accepted(BEGUN),
    source: SHAPES,
  },
  {
    operation: 'CheckpointDurableExecution',
    name: 'a step that succeeds',
    given: [...RUNNING, STARTED],
    input: { ...NEXT, Updates: [{ ...STEP, Action: 'SUCCEED', Payload: '"one"' }] },
    expect: accepted({
      ...BEGUN,
      Status: 'SUCCEEDED',
      EndTimestamp: '<epoch>',
      StepDetails: { Attempt: 1, Result: '"one"' },
    }),
    source: SHAPES,
  },
  {
    operation: 'CheckpointDurableExecution',
    name: 'with a token that was used',
    given: [...RUNNING, STARTED],
    input: checkpoint({ ...STEP, Action: 'SUCCEED' }),
    expect: invalid('Invalid checkpoint token'),
    source: SDKS,
  },
  {
    operation: 'GetDurableExecutionState',
    name: 'after a step',
    given: [...RUNNING, STARTED],
    input: NEXT,
    expect: ok({ NextMarker: '', Operations: [EXECUTION, BEGUN] }),
    source: SHAPES,
  },
]
