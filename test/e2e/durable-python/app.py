"""Flows with AWS's SDK for Python: each does what its name says, and gives back what it saw."""

import os

from aws_durable_execution_sdk_python import (
    BatchItemStatus,
    DurableOperationError,
    ParallelBranch,
    durable_execution,
    with_retry,
    WithRetryConfig,
)
from aws_durable_execution_sdk_python.config import (
    CallbackConfig,
    CompletionConfig,
    Duration,
    MapConfig,
    ParallelConfig,
    StepConfig,
    StepSemantics,
    WaitForCallbackConfig,
)
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision

SECOND = Duration.from_seconds(1)
ONCE = StepConfig(retry_strategy=lambda error, attempt: RetryDecision.no_retry())
TWICE = StepConfig(
    retry_strategy=lambda error, attempt: RetryDecision.retry(SECOND) if attempt < 2 else RetryDecision.no_retry()
)


def until(last):
    return lambda state, attempt: (
        WaitForConditionDecision.stop_polling() if state >= last else WaitForConditionDecision.continue_waiting(SECOND)
    )


def seen(error):
    return [type(error).__name__, error.error_type, error.message]


def caught(operation):
    """What the operation gives, or which error of the SDK it ends with."""
    try:
        return operation()
    except DurableOperationError as error:
        return seen(error)


def raising(error):
    def body(*_):
        raise error

    return body


def everything(event, context):
    def flaky(step):
        if step.attempt < 2:
            raise RuntimeError('not yet')
        return step.attempt

    def right(child):
        child.wait(SECOND, 'short')
        return child.step(lambda _: 'R', 'right')

    first = context.step(lambda _: 'one', 'first')
    answer = context.create_callback('answer').result()
    context.wait(Duration.from_seconds(2), 'pause')
    retried = context.step(flaky, 'retried', TWICE)
    both = context.parallel([lambda child: child.step(lambda _: 'L', 'left'), right], 'both')
    squares = context.map([1, 2, 3], lambda child, item, index, items: child.step(lambda _: item * item), 'squares')
    nested = context.invoke('flows:$LATEST', {'flow': 'child', 'n': 7}, 'nested')
    return {
        'first': first,
        'answer': answer,
        'retried': retried,
        'both': both.get_results(),
        'squares': squares.get_results(),
        'nested': nested,
    }


def child(event, context):
    context.wait(SECOND)
    return {'child': event['n']}


def raises(event, context):
    raise ValueError('no way')


def conditions(event, context):
    polled = context.wait_for_condition(
        lambda state, _: state + 1, WaitForConditionConfig(until(3), 0), 'polled'
    )
    failed = caught(
        lambda: context.wait_for_condition(raising(KeyError('gone')), WaitForConditionConfig(until(3), 0), 'failed')
    )
    context.wait(SECOND)
    return {'polled': polled, 'failed': failed}


def callbacks(event, context):
    """All at once: what is answered, what fails, and what nobody answers in time."""

    def submitted(child):
        return child.wait_for_callback(lambda callback_id, _: None, 'submitted')

    def rejected(child):
        return caught(lambda: child.wait_for_callback(lambda callback_id, _: None, 'rejected'))

    def late(child):
        config = WaitForCallbackConfig(timeout=SECOND)
        return caught(lambda: child.wait_for_callback(lambda callback_id, _: None, 'late', config))

    def silent(child):
        config = CallbackConfig(heartbeat_timeout=SECOND)
        return caught(lambda: child.create_callback('silent', config).result())

    def unsent(child):
        config = WaitForCallbackConfig(retry_strategy=ONCE.retry_strategy)
        return caught(lambda: child.wait_for_callback(raising(OSError('unreachable')), 'unsent', config))

    branches = [submitted, rejected, late, silent, unsent]
    named = [ParallelBranch(func=branch, name=branch.__name__) for branch in branches]
    return dict(zip([branch.__name__ for branch in branches], context.parallel(named, 'all').get_results()))


def children(event, context):
    """A result that is too large for a checkpoint: the child runs again when the execution goes on."""

    def large(inner):
        part = inner.step(lambda _: 'x' * 200_000, 'part')
        return inner.run_in_child_context(lambda innermost: innermost.step(lambda _: part, 'again'), 'inner') + part

    text = context.run_in_child_context(large, 'large')
    bad = lambda inner: inner.step(raising(ValueError('no')), 'bad', ONCE)
    failed = caught(lambda: context.run_in_child_context(bad, 'failed'))
    context.wait(SECOND)
    return {'large': len(text), 'failed': failed}


def invokes(event, context):
    plain = context.map(
        [1, 2, 3],
        lambda inner, item, index, items: inner.invoke('plain', {'n': item}, f'plain-{index}'),
        'doubled',
        MapConfig(max_concurrency=2),
    )
    failed = [caught(lambda: context.invoke('flows:$LATEST', {'flow': 'raises'}, 'durable'))]
    failed.append(caught(lambda: context.invoke('plain', {'n': None}, 'not-durable')))
    return {'plain': plain.get_results(), 'failed': failed}


def batches(event, context):
    def item(inner, value, index, items):
        return inner.step(raising(RuntimeError('odd')) if value % 2 else lambda _: value, f'item-{value}', ONCE)

    def counts(batch):
        return [batch.completion_reason.value, batch.success_count, batch.failure_count, batch.started_count]

    def slow(inner):
        inner.wait(Duration.from_hours(1))

    def tolerating(failures):
        return MapConfig(max_concurrency=1, completion_config=CompletionConfig(tolerated_failure_count=failures))

    tolerant = context.map([1, 2, 3, 4], item, 'tolerant', tolerating(2))
    strict = context.map([2, 1, 3, 4], item, 'strict', tolerating(0))
    first = context.parallel(
        [slow, lambda inner: inner.step(lambda _: 'quick', 'quick')],
        'first',
        ParallelConfig(completion_config=CompletionConfig.first_successful()),
    )
    context.wait(SECOND)
    return {
        'tolerant': counts(tolerant),
        'strict': counts(strict),
        'first': [*counts(first), first.get_results()],
        'states': [item.status is BatchItemStatus.SUCCEEDED for item in tolerant.all],
    }


def retries(event, context):
    def dies(step):
        if step.attempt == 1:
            os._exit(1)
        return step.attempt

    def block(inner, attempt):
        if inner.step(lambda _: attempt, f'attempt-{attempt}') < 2:
            raise RuntimeError('again')
        return attempt

    once = StepConfig(TWICE.retry_strategy, StepSemantics.AT_MOST_ONCE_PER_RETRY)
    return {
        'interrupted': context.step(dies, 'interrupted', once),
        'exhausted': caught(lambda: context.step(raising(RuntimeError('never')), 'exhausted', TWICE)),
        'block': with_retry(context, block, WithRetryConfig(TWICE.retry_strategy), 'block'),
    }


@durable_execution
def handler(event, context):
    return globals()[event['flow']](event, context)
