"""The function's log: the logging module's records and the runtime's own errors, in AWS's text or JSON format."""
import json
import logging
import os
import sys
import time
import traceback
from datetime import datetime, timezone

from . import channel

_NBSP = "\u00a0"
_TEXT_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
_SECONDS = "%Y-%m-%dT%H:%M:%S"

# Members of a record that are no extras of the caller.
_OWN_MEMBERS = frozenset(
    "name msg args levelname levelno pathname filename module exc_info exc_text stack_info lineno funcName created "
    "msecs relativeCreated thread threadName processName process taskName aws_request_id tenant_id".split()
)

UNHANDLED_WARNING = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. "
    "However, in rare cases, a Lambda runtime update can cause unexpected function behavior. "
    "For functions using managed runtimes, runtime updates can be triggered by a function change, "
    "or can be applied automatically. "
    "To determine if the runtime has been updated, check the runtime version in the INIT_START log entry. "
    "If this error correlates with a change in the runtime version, you may be able to mitigate this error "
    "by temporarily rolling back to the previous runtime version. "
    "For more information, see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html\r"
)


class Current:
    """What the records of the moment carry."""

    request_id = None
    tenant_id = None


def emit(message, level=None):
    """Sends one record, however many lines it has."""
    header = {"timestamp": time.time_ns() // 1000000}
    if level:
        header["level"] = level
    if message.endswith("\n"):
        message = message[:-1]
    if not channel.is_ours():
        print(message, flush=True)
        return
    channel.send(channel.LOG, json.dumps(header).encode(), message.encode("utf-8", "backslashreplace"))


class _Handler(logging.Handler):
    lambent_sink = staticmethod(emit)

    def emit(self, record):
        try:
            emit(self.format(record), record.levelname)
        except Exception:
            self.handleError(record)


class _Filter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = Current.request_id or ""
        record.tenant_id = Current.tenant_id
        return True


class _JsonFormatter(logging.Formatter):
    _encode = staticmethod(json.JSONEncoder(ensure_ascii=False).encode)

    def format(self, record):
        record.levelno = min(50, max(0, record.levelno)) // 10 * 10
        record.levelname = logging.getLevelName(record.levelno)
        info = record.exc_info
        moment = datetime.fromtimestamp(record.created, tz=timezone.utc)
        fields = {
            "timestamp": moment.strftime(_SECONDS + ".%f")[:-3] + "Z",
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(info[2]) if info else None,
            "errorType": info[0].__name__ if info and info[0] else None,
            "errorMessage": str(info[1]) if info else None,
            "requestId": getattr(record, "aws_request_id", None),
            "location": "{}:{}:{}".format(record.pathname, record.funcName, record.lineno) if info else None,
        }
        if getattr(record, "tenant_id", None) is not None:
            fields["tenantId"] = record.tenant_id
        for key, value in record.__dict__.items():
            if key not in _OWN_MEMBERS and key not in fields:
                fields[key] = value
        return self._encode({key: value for key, value in fields.items() if value is not None}) + "\n"


def _is_json():
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


def set_up_logging():
    logging.Formatter.converter = time.gmtime
    handler = _Handler()
    handler.setFormatter(_JsonFormatter() if _is_json() else logging.Formatter(_TEXT_FORMAT, _SECONDS))
    handler.addFilter(_Filter())
    root = logging.getLogger()
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    level = "DEBUG" if level == "TRACE" else level
    if isinstance(logging.getLevelName(level), int):
        root.setLevel(level)
    root.addHandler(handler)


def log_error(document, to_json):
    """Reports an error document as AWS's runtime does."""
    if _is_json():
        stamp = time.strftime(_SECONDS + "Z", time.gmtime())
        emit(to_json({"timestamp": stamp, "level": "ERROR", **document}), "ERROR")
        return
    first = "[ERROR]"
    if document["errorType"]:
        first += " " + document["errorType"]
    if document["errorMessage"]:
        first += (": " if document["errorType"] else " ") + document["errorMessage"]
    lines = [first, "Traceback (most recent call last):"]
    for element in document["stackTrace"]:
        for line in element.splitlines() or [""]:
            text = line.lstrip(" ")
            # Spaces at the start of a line would be lost on the way to the log.
            lines.append(_NBSP * (len(line) - len(text)) + text)
    emit("\n".join(lines), "ERROR")


_PIECE_BYTES = 65536


class _Printed:
    """
    A standard stream that keeps nothing back. Text goes the way of the log records, so that it stays in order with them;
    what is written to the descriptor or to `buffer`, and what other programs print, goes through the pipe.
    """

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not {}".format(type(text).__name__))
        if not channel.is_ours():
            count = self._stream.write(text)
            self._stream.flush()
            return count
        data = text.encode("utf-8", "backslashreplace")
        for at in range(0, len(data), _PIECE_BYTES):
            channel.send(channel.OUTPUT, b"", data[at : at + _PIECE_BYTES])
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)


def set_up_streams():
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            continue
        # The host may have no UTF-8 locale; the function's world has one.
        stream.reconfigure(encoding="utf-8")
        setattr(sys, name, _Printed(stream))
