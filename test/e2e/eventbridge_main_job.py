"""boto3 on EventBridge and its scheduler, as their users write it."""

import datetime
import json
import time

import boto3
from botocore.exceptions import ClientError

events = boto3.client("events")
scheduler = boto3.client("scheduler")
sqs = boto3.client("sqs")

url = sqs.create_queue(QueueName="boto-events")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def received(count):
    bodies = []
    deadline = time.time() + 20
    while len(bodies) < count and time.time() < deadline:
        for message in sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5).get("Messages", []):
            bodies.append(message["Body"])
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert len(bodies) == count, bodies
    return bodies


rule = events.put_rule(Name="boto", EventPattern=json.dumps({"source": ["boto"], "detail": {"n": [{"numeric": [">", 1]}]}}))
target = {"Id": "1", "Arn": arn, "InputPath": "$.detail"}
assert events.put_targets(Rule="boto", Targets=[target])["FailedEntryCount"] == 0
when = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
entries = [{"Source": "boto", "DetailType": "t", "Detail": json.dumps({"n": n}), "Time": when} for n in (1, 2)]
assert events.put_events(Entries=entries)["FailedEntryCount"] == 0
assert received(1) == ['{"n":2}']
assert [page["Targets"] for page in events.get_paginator("list_targets_by_rule").paginate(Rule="boto")] == [[target]]
try:
    events.put_rule(Name="bad", EventPattern='{"a": [{"EXISTS": true}]}')
    raise AssertionError("no failure")
except events.exceptions.InvalidEventPatternException as error:
    assert "Unrecognized match type EXISTS" in error.response["Error"]["Message"]

soon = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%S")
role = "arn:aws:iam::000000000000:role/scheduler"
created = scheduler.create_schedule(
    Name="boto",
    ScheduleExpression=f"at({soon})",
    FlexibleTimeWindow={"Mode": "OFF"},
    ActionAfterCompletion="DELETE",
    Target={"Arn": arn, "RoleArn": role, "Input": "due at <aws.scheduler.scheduled-time>"},
)
assert created["ScheduleArn"] == "arn:aws:scheduler:us-east-1:000000000000:schedule/default/boto"
assert scheduler.get_schedule(Name="boto")["Target"]["RetryPolicy"]["MaximumRetryAttempts"] == 185
assert received(1) == [f"due at {soon}Z"]
try:
    scheduler.get_schedule(Name="boto")
    raise AssertionError("no failure")
except ClientError as error:
    assert error.response["Error"]["Code"] == "ResourceNotFoundException", error.response
    assert error.response["Error"]["Message"] == "Schedule boto does not exist."
print("ok")
