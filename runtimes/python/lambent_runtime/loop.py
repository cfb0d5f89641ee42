"""The life of the runtime: READY, INIT, then one invocation at a time."""
import json
import logging
import os
import sys
import time

from . import channel
from .context import LambdaContext
from .errors import describe
from .handler import load_handler, set_module_path
from .logs import UNHANDLED_WARNING, Current, log_error, set_up_logging, set_up_streams
from .marshal import Marshaller
from .preload import forget_shadowed, preload
from . import snapshots


def _send_error(frame_type, document, marshaller):
    header = json.dumps({"errorType": document["errorType"]}).encode()
    text = marshaller.to_json(document).encode("utf-8", "backslashreplace")
    channel.send(frame_type, header, text)


def _initialise(init):
    """Becomes the function of `init`. Ends the process when that fails, as AWS's runtime does."""
    os.environ.update(init["env"])
    if hasattr(time, "tzset"):
        time.tzset()
    os.chdir(init["taskRoot"])
    set_up_streams()
    marshaller = Marshaller()
    set_up_logging()
    try:
        forget_shadowed(set_module_path(init["taskRoot"], init.get("optRoot", "/opt")))
        handler = load_handler(init["handler"] or os.environ["_HANDLER"])
    except Exception as error:
        document = describe(error)
        logging.warning(UNHANDLED_WARNING)
        log_error(document, marshaller.to_json)
        _send_error(channel.INIT_ERROR, document, marshaller)
        sys.exit(1)
    channel.send(channel.INIT_DONE, b"", b"")
    return handler, marshaller


def _invoke(handler, marshaller, header, payload):
    invoke = json.loads(header)
    request_id = invoke["requestId"]
    Current.request_id = request_id
    Current.tenant_id = invoke.get("tenantId")
    trace_id = invoke.get("traceId")
    if trace_id is None:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    else:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    try:
        context = LambdaContext(invoke)
        answer = marshaller.answer(handler(marshaller.event(payload), context))
        if not channel.is_ours():
            # A copy of this process that came back from the handler as well: the answer is its parent's.
            os._exit(0)
    except Exception as error:
        document = describe(error, request_id)
        log_error(document, marshaller.to_json)
        _send_error(channel.ERROR, document, marshaller)
        return
    channel.send(channel.RESPONSE, b"", answer)


def _hook(run, marshaller):
    """Runs the function's hooks. Ends the process when they fail."""
    try:
        run()
    except Exception as error:
        document = describe(error)
        log_error(document, marshaller.to_json)
        _send_error(channel.INIT_ERROR, document, marshaller)
        sys.exit(1)
    channel.send(channel.INIT_DONE, b"", b"")


def _restore(restored, marshaller):
    os.environ.update(restored["env"])
    snapshots.refresh_randomness()
    _hook(snapshots.run_after_hooks, marshaller)


def main():
    channel.open_channel()
    version = "python{}.{}".format(*sys.version_info[:2])
    channel.send(channel.READY, json.dumps({"protocol": 1, "runtime": version}).encode(), b"")
    # Only the host of a runtime that waits for its function asks for it.
    if os.environ.pop("_LAMBENT_PRELOAD", None) == "rich":
        preload()
    frame = channel.receive()
    if frame is None or frame[0] != channel.INIT:
        return
    handler, marshaller = _initialise(json.loads(frame[2]))
    while True:
        frame = channel.receive()
        if frame is None:
            return
        if frame[0] == channel.INVOKE:
            _invoke(handler, marshaller, frame[1], frame[2])
        elif frame[0] == channel.SNAPSHOT:
            _hook(snapshots.run_before_hooks, marshaller)
            snapshots.sleep_until_restored()
        elif frame[0] == channel.RESTORE:
            _restore(json.loads(frame[2]), marshaller)
