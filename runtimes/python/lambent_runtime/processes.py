"""
A process for each invocation that may run at once, as AWS's runtime has: each loads the function, asks the Runtime API
for an invocation, answers it, asks again. The first process only looks after them.
"""
import json
import logging
import mmap
import os
import sys
import time

from . import channel
from .context import LambdaContext
from .errors import describe, document
from .handler import load_handler, set_module_path
from .logs import UNHANDLED_WARNING, Current, log_error, set_up_logging, set_up_streams
from .marshal import Marshaller
from .runtime_api import RuntimeApi

# What a process ends with that could not initialise: another one could not either.
_INIT_FAILED = 78
# A request id and the zero after it.
_PLACE_BYTES = 256


class _Place:
    """What a process runs now, where the one that looks after it can see it."""

    def __init__(self):
        self._memory = mmap.mmap(-1, _PLACE_BYTES)

    def set(self, request_id):
        self._memory[:] = request_id.encode()[: _PLACE_BYTES - 1].ljust(_PLACE_BYTES, b"\0")

    def get(self):
        return self._memory[:].rstrip(b"\0").decode()


def _initialise(api, marshaller):
    set_up_streams()
    set_up_logging()
    try:
        set_module_path(os.environ["LAMBDA_TASK_ROOT"], "/opt")
        return load_handler(os.environ.get("_HANDLER", ""))
    except Exception as error:
        report = describe(error)
        logging.warning(UNHANDLED_WARNING)
        log_error(report, marshaller.to_json)
        api.post("/init/error", marshaller.to_json(report).encode("utf-8", "backslashreplace"), report["errorType"])
        os._exit(_INIT_FAILED)


def _invoke(api, handler, marshaller, invoke, payload):
    request_id = invoke["requestId"]
    Current.request_id = request_id
    Current.tenant_id = invoke.get("tenantId")
    path = "/invocation/{}/".format(request_id)
    try:
        answer = marshaller.answer(handler(marshaller.event(payload), LambdaContext(invoke)))
    except Exception as error:
        report = describe(error, request_id)
        log_error(report, marshaller.to_json)
        text = marshaller.to_json(report).encode("utf-8", "backslashreplace")
        api.post(path + "error", text, report["errorType"])
        return
    api.post(path + "response", answer)


def _work(address, place):
    api = RuntimeApi(address)
    marshaller = Marshaller()
    handler = _initialise(api, marshaller)
    while True:
        invoke, payload = api.next()
        place.set(invoke["requestId"])
        _invoke(api, handler, marshaller, invoke, payload)
        place.set("")


def _exit_reason(status):
    if os.WIFSIGNALED(status):
        return "signal {}".format(os.WTERMSIG(status))
    code = os.WEXITSTATUS(status)
    return "exit status {}".format(code) if code else None


def _report_end(address, request_id, status):
    """Whoever waits for what the process ran is told that it has ended."""
    reason = _exit_reason(status)
    text = "Runtime exited without providing a reason" if reason is None else "Runtime exited with error: " + reason
    report = document("RequestId: {} Error: {}".format(request_id, text), "Runtime.ExitError", [], request_id)
    path = "/invocation/{}/error".format(request_id)
    RuntimeApi(address).post(path, json.dumps(report).encode(), "Runtime.ExitError")


def main():
    channel.close_channel()
    if hasattr(time, "tzset"):
        time.tzset()
    address = os.environ["AWS_LAMBDA_RUNTIME_API"]
    children = {}

    def start():
        place = _Place()
        pid = os.fork()
        if pid:
            children[pid] = place
            return
        try:
            _work(address, place)
        except (ConnectionError, OSError):
            # The host is gone: there is nobody left to work for.
            os._exit(0)
        except SystemExit as error:
            code = error.code
            os._exit(code if isinstance(code, int) else 0 if code is None else 1)
        finally:
            os._exit(1)

    for _ in range(int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "1"))):
        start()
    while children:
        pid, status = os.wait()
        place = children.pop(pid, None)
        if place is None or (os.WIFEXITED(status) and os.WEXITSTATUS(status) == _INIT_FAILED):
            continue
        request_id = place.get()
        try:
            if request_id:
                _report_end(address, request_id, status)
        except (ConnectionError, OSError):
            break
        start()
    sys.exit(1)
