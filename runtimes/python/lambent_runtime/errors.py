"""Errors of the runtime itself, and the documents that become of any exception. The texts are AWS's."""
import os
import traceback

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))


class Fault(Exception):
    """A failure that has one of AWS's names, such as Runtime.HandlerNotFound."""

    def __init__(self, name, message, trace=None):
        super().__init__(message)
        self.error_type = "Runtime." + name
        self.message = message
        self.trace = trace


def document(message, error_type, stack_trace, request_id=None):
    return {
        "errorMessage": message or "",
        "errorType": error_type or "",
        "requestId": request_id if request_id is not None else "",
        "stackTrace": stack_trace or [],
    }


def describe(error, request_id=None):
    """The document of an exception that is being handled."""
    if isinstance(error, Fault):
        return document(error.message, error.error_type, error.trace, request_id)
    frames = [
        (frame.filename, frame.lineno, frame.name, frame.line)
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    # The runtime's own frames come first and concern nobody.
    for index, frame in enumerate(frames):
        if not frame[0].startswith(_OWN_FOLDER):
            frames = frames[index:]
            break
    return document(str(error), type(error).__name__, traceback.format_list(frames), request_id)
