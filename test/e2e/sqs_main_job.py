"""boto3 on queues of the program's own: SQS as its users write it."""

import json
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree as xml

import boto3
from botocore.exceptions import ClientError

sqs = boto3.client("sqs")


def failure(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]
    raise AssertionError("no failure")


url = sqs.create_queue(QueueName="boto", Attributes={"VisibilityTimeout": "5"}, tags={"team": "blue"})["QueueUrl"]
assert sqs.get_queue_url(QueueName="boto")["QueueUrl"] == url
assert url in sqs.list_queues(QueueNamePrefix="bo")["QueueUrls"]
assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "blue"}

# boto3 checks the digests of bodies and attributes itself.
attributes = {
    "text": {"DataType": "String", "StringValue": "värde"},
    "number": {"DataType": "Number.int", "StringValue": "42"},
    "bytes": {"DataType": "Binary", "BinaryValue": bytes(range(256))},
}
trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}}
sent = sqs.send_message(QueueUrl=url, MessageBody="grüße", MessageAttributes=attributes, MessageSystemAttributes=trace)
assert sent["MD5OfMessageSystemAttributes"]
message = sqs.receive_message(
    QueueUrl=url, WaitTimeSeconds=5, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"]
)["Messages"][0]
assert message["Body"] == "grüße" and message["MessageAttributes"] == attributes, message
assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
assert message["Attributes"]["AWSTraceHeader"].startswith("Root=")
sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=100)
sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

assert failure(sqs.get_queue_url, QueueName="nobody") == {
    "Message": "The specified queue does not exist.",
    "Code": "AWS.SimpleQueueService.NonExistentQueue",
    "QueryErrorCode": "QueueDoesNotExist",
    "Type": "Sender",
}
assert failure(sqs.receive_message, QueueUrl=url, MaxNumberOfMessages=11) == {
    "Message": "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
    "Code": "InvalidParameterValue",
    "QueryErrorCode": "InvalidParameterValueException",
    "Type": "Sender",
}

resource = boto3.resource("sqs").get_queue_by_name(QueueName="boto")
resource.send_messages(Entries=[{"Id": str(n), "MessageBody": str(n)} for n in range(10)])
found = sorted(int(each.body) for each in resource.receive_messages(MaxNumberOfMessages=10))
assert found == list(range(10)), found


# Older clients: the query protocol, at the queue's own address, unsigned.
def query(path, **parameters):
    body = urllib.parse.urlencode(parameters).encode()
    with urllib.request.urlopen(urllib.parse.urljoin(url, path), data=body) as answer:
        return xml.fromstring(answer.read())


name = "{http://queue.amazonaws.com/doc/2012-11-05/}"
created = query("/?Version=2012-11-05&Action=CreateQueue", QueueName="old", **{"Attribute.1.Name": "DelaySeconds", "Attribute.1.Value": "0"})
old = created.findtext(f"{name}CreateQueueResult/{name}QueueUrl")
query(old, Action="SendMessage", MessageBody="<old>", Version="2012-11-05")
answer = query(old, Action="ReceiveMessage", Version="2012-11-05", **{"AttributeName.1": "SentTimestamp"})
received = answer.find(f"{name}ReceiveMessageResult/{name}Message")
assert received.findtext(f"{name}Body") == "<old>"
assert received.findtext(f"{name}Attribute/{name}Name") == "SentTimestamp"
query(old, Action="DeleteMessage", ReceiptHandle=received.findtext(f"{name}ReceiptHandle"))
try:
    query("/000000000000/nobody", Action="GetQueueAttributes")
    raise AssertionError("no failure")
except urllib.error.HTTPError as error:
    assert error.code == 400
    text = error.read().decode()
    assert "<Code>AWS.SimpleQueueService.NonExistentQueue</Code>" in text, text
    assert "The specified queue does not exist for this wsdl version." in text, text

for each in (url, old):
    sqs.delete_queue(QueueUrl=each)
json.dump("all as expected", sys.stdout)
