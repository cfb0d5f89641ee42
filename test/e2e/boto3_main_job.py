"""The main job with boto3, with nothing but AWS_ENDPOINT_URL set. Exits with an assertion error where it differs from AWS."""

import base64
import io
import json
import time
import zipfile

import boto3
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/lambda"
CODE = """
import json, logging, os
logger = logging.getLogger()
logger.setLevel("INFO")

def handler(event, context):
    logger.info("seen %s", event.get("word"))
    print("printed", context.aws_request_id)
    if event.get("fail"):
        raise KeyError("word")
    return {"word": event.get("word"), "stage": os.environ["STAGE"], "memory": context.memory_limit_in_mb}
"""


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def main():
    client = boto3.client("lambda")
    created = client.create_function(
        FunctionName="boto",
        Runtime="python3.11",
        Handler="app.handler",
        Role=ROLE,
        Code={"ZipFile": zipped({"app.py": CODE})},
        Environment={"Variables": {"STAGE": "test"}},
        MemorySize=256,
        Tags={"owner": "boto"},
    )
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201, created
    assert created["State"] == "Pending", created
    client.get_waiter("function_active_v2").wait(FunctionName="boto")

    answer = client.invoke(FunctionName="boto", Payload=json.dumps({"word": "é"}), LogType="Tail")
    assert answer["StatusCode"] == 200 and "FunctionError" not in answer, answer
    assert json.loads(answer["Payload"].read()) == {"word": "é", "stage": "test", "memory": "256"}
    log = base64.b64decode(answer["LogResult"]).decode()
    assert "[INFO]\t" in log and "\tseen é\n" in log and "printed " in log, log

    failed = client.invoke(FunctionName="boto", Payload=json.dumps({"fail": True}))
    assert failed["FunctionError"] == "Unhandled", failed
    document = json.loads(failed["Payload"].read())
    assert document["errorType"] == "KeyError" and document["errorMessage"] == "'word'", document

    client.update_function_configuration(FunctionName="boto", Environment={"Variables": {"STAGE": "prod"}})
    client.get_waiter("function_updated_v2").wait(FunctionName="boto")
    changed = json.loads(client.invoke(FunctionName="boto", Payload=b"{}")["Payload"].read())
    assert changed["stage"] == "prod", changed

    version = client.publish_version(FunctionName="boto")["Version"]
    assert version == "1", version
    client.create_alias(FunctionName="boto", Name="live", FunctionVersion="1")
    via_alias = client.invoke(FunctionName="boto", Qualifier="live", Payload=b"{}")
    assert via_alias["ExecutedVersion"] == "1", via_alias
    client.get_waiter("published_version_active").wait(FunctionName="boto", Qualifier="1")

    for operation, arguments, code, status in [
        ("get_function", {"FunctionName": "nobody"}, "ResourceNotFoundException", 404),
        ("create_alias", {"FunctionName": "boto", "Name": "live", "FunctionVersion": "1"}, "ResourceConflictException", 409),
        ("update_function_code", {"FunctionName": "boto", "ZipFile": b"no zip"}, "InvalidParameterValueException", 400),
        ("update_function_configuration", {"FunctionName": "boto", "Timeout": 6000}, "ValidationException", 400),
        ("publish_version", {"FunctionName": "boto", "RevisionId": "wrong"}, "PreconditionFailedException", 412),
    ]:
        try:
            getattr(client, operation)(**arguments)
        except ClientError as error:
            got = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
            assert got == (code, status), (operation, got, error)
        else:
            raise AssertionError(f"{operation} was expected to fail")

    names = [f["FunctionName"] for page in client.get_paginator("list_functions").paginate() for f in page["Functions"]]
    assert names == ["boto"], names

    logs = boto3.client("logs")
    until = time.time() + 20
    while True:
        groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/boto")["logGroups"]
        streams = logs.describe_log_streams(logGroupName="/aws/lambda/boto")["logStreams"] if groups else []
        events = (
            logs.filter_log_events(logGroupName="/aws/lambda/boto", filterPattern='"seen é"')["events"] if streams else []
        )
        if events:
            break
        assert time.time() < until, "the log never came"
        time.sleep(0.2)
    assert len(events) == 1, events
    logs.put_retention_policy(logGroupName="/aws/lambda/boto", retentionInDays=7)
    assert logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/boto")["logGroups"][0]["retentionInDays"] == 7

    client.delete_function(FunctionName="boto")
    assert client.list_functions()["Functions"] == []
    print("boto3: all as expected")


main()
