"""The context object of an invocation."""
import json
import logging
import os
import sys
import time

from .errors import Fault


def _described(name, instance, members):
    return "{}([{}])".format(name, ",".join("{}={}".format(m, getattr(instance, m, None)) for m in members))


class CognitoIdentity:
    __slots__ = ["cognito_identity_id", "cognito_identity_pool_id"]

    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")

    def __repr__(self):
        return _described("CognitoIdentity", self, self.__slots__)


class Client:
    __slots__ = ["installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"]

    def __init__(self, values):
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self):
        return _described("Client", self, self.__slots__)


class ClientContext:
    __slots__ = ["custom", "env", "client"]

    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        client = values.get("client")
        self.client = None if client is None else Client(client)

    def __repr__(self):
        return _described("ClientContext", self, self.__slots__)


class LambdaContext:
    """What a handler gets as its second argument."""

    def __init__(self, invoke):
        client_context = _parsed(invoke.get("clientContext"), "Client Context")
        identity = _parsed(invoke.get("cognitoIdentity"), "Cognito Identity")
        self.aws_request_id = invoke["requestId"]
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = invoke.get("invokedFunctionArn")
        self.tenant_id = invoke.get("tenantId")
        self.client_context = None if client_context is None else ClientContext(client_context)
        self.identity = CognitoIdentity(identity or {})
        self._epoch_deadline_time_in_ms = invoke["deadlineMs"]

    def get_remaining_time_in_millis(self):
        left = self._epoch_deadline_time_in_ms - int(time.time() * 1000)
        return left if left > 0 else 0

    def log(self, msg):
        """Writes `msg` to the function's log as it is."""
        for handler in logging.getLogger().handlers:
            if hasattr(handler, "lambent_sink"):
                handler.lambent_sink(str(msg))
                return
        sys.stdout.write(str(msg))

    def __repr__(self):
        members = (
            "aws_request_id log_group_name log_stream_name function_name memory_limit_in_mb function_version "
            "invoked_function_arn client_context identity tenant_id"
        )
        return _described("LambdaContext", self, members.split())


def _parsed(text, name):
    if not text:
        return None
    try:
        return json.loads(text)
    except Exception as error:
        raise Fault("LambdaContextUnmarshalError", "Unable to parse {} JSON: {}".format(name, error)) from None
