"""Event source mappings through boto3."""

import time

import boto3
from botocore.exceptions import ClientError

client = boto3.client("lambda")
queue = "arn:aws:sqs:us-east-1:000000000000:boto3-queue"


def settled(uuid):
    for _ in range(200):
        mapping = client.get_event_source_mapping(UUID=uuid)
        if mapping["State"] in ("Enabled", "Disabled"):
            return mapping
        time.sleep(0.05)
    raise AssertionError("the mapping never settled")


created = client.create_event_source_mapping(FunctionName="fn", EventSourceArn=queue, Tags={"a": "1"})
uuid = created["UUID"]
assert created["State"] == "Creating", created
assert settled(uuid)["State"] == "Enabled"
try:
    client.create_event_source_mapping(FunctionName="fn", EventSourceArn=queue)
    raise AssertionError("a second mapping was accepted")
except client.exceptions.ResourceConflictException as error:
    assert uuid in str(error), error
updated = client.update_event_source_mapping(UUID=uuid, ScalingConfig={"MaximumConcurrency": 5})
assert updated["ScalingConfig"] == {"MaximumConcurrency": 5}, updated
settled(uuid)
assert client.list_tags(Resource=created["EventSourceMappingArn"])["Tags"] == {"a": "1"}
pages = client.get_paginator("list_event_source_mappings").paginate(EventSourceArn=queue)
assert [m["UUID"] for page in pages for m in page["EventSourceMappings"]] == [uuid]
assert client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting"
for _ in range(200):
    try:
        client.get_event_source_mapping(UUID=uuid)
        time.sleep(0.05)
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceNotFoundException", error
        break
else:
    raise AssertionError("the mapping is still there")
print("all as expected")
