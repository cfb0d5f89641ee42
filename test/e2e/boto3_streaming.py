"""Streamed answers with boto3. Arguments: functions that write "one ", wait for a tag, and write "two"."""

import json
import sys

import boto3

ARN = "arn:aws:lambda:us-east-1:000000000000:function:"


def main():
    client = boto3.client("lambda")
    for name in sys.argv[1:]:
        answer = client.invoke_with_response_stream(
            FunctionName=name,
            LogType="Tail",
            Payload=json.dumps({"kind": "gated", "gate": "boto3-has-seen-it"}),
        )
        assert answer["StatusCode"] == 200, answer
        assert answer["ExecutedVersion"] == "$LATEST", answer
        texts, end = [], None
        for event in answer["EventStream"]:
            if "PayloadChunk" in event:
                texts.append(event["PayloadChunk"]["Payload"].decode())
                if texts == ["one "]:
                    # Until this has happened the function waits.
                    client.tag_resource(Resource=ARN + name, Tags={"boto3-has-seen-it": ""})
            else:
                end = event["InvokeComplete"]
        assert texts == ["one ", "two"], texts
        assert "ErrorCode" not in end and end["LogResult"], end
    print("all as expected")


main()
