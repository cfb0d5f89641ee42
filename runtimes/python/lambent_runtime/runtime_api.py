"""A client of the HTTP Runtime API, for one process: one request at a time over one connection."""
import http.client

_BASE = "/2018-06-01/runtime"
_HEADERS = {
    "requestId": "Lambda-Runtime-Aws-Request-Id",
    "deadlineMs": "Lambda-Runtime-Deadline-Ms",
    "invokedFunctionArn": "Lambda-Runtime-Invoked-Function-Arn",
    "traceId": "Lambda-Runtime-Trace-Id",
    "clientContext": "Lambda-Runtime-Client-Context",
    "cognitoIdentity": "Lambda-Runtime-Cognito-Identity",
    "tenantId": "Lambda-Runtime-Aws-Tenant-Id",
}


class RuntimeApi:
    """Every method raises ConnectionError or another OSError when the host is gone."""

    def __init__(self, address):
        self._connection = http.client.HTTPConnection(address)

    def _call(self, method, path, body=None, headers=None):
        try:
            self._connection.request(method, _BASE + path, body, headers or {})
            response = self._connection.getresponse()
            return response, response.read()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error

    def next(self):
        """Waits for an invocation: what its headers say, and the event."""
        response, payload = self._call("GET", "/invocation/next")
        if response.status != 200:
            raise ConnectionError("The host answers {}".format(response.status))
        values = {member: response.headers.get(name) for member, name in _HEADERS.items()}
        invoke = {member: value for member, value in values.items() if value is not None}
        invoke["deadlineMs"] = int(invoke["deadlineMs"])
        return invoke, payload

    def post(self, path, body, error_type=None):
        headers = {"Content-Type": "application/json"}
        if error_type:
            headers["Lambda-Runtime-Function-Error-Type"] = error_type
        self._call("POST", path, body, headers)
