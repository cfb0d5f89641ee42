"""Events in, answers out. AWS uses simplejson; what differs from the standard library's encoder is made up for here."""
import json
import os
import re
import sys

from .errors import Fault

# From python3.12 on AWS leaves characters as they are; earlier versions escape what is not ASCII.
_ESCAPING = re.compile(r"^AWS_Lambda_python3\.([0-9]|10|11)$")


def _escapes():
    named = os.environ.get("AWS_EXECUTION_ENV", "")
    if named.startswith("AWS_Lambda_python"):
        return _ESCAPING.match(named) is not None
    return sys.version_info < (3, 12)


class Marshaller:
    def __init__(self):
        # Stands around the digits of a Decimal until the text is complete. Nobody can guess it.
        self._mark = os.urandom(12).hex()
        self._marked = False
        self._encoder = json.JSONEncoder(ensure_ascii=_escapes(), default=self._default)

    def _default(self, value):
        decimal = sys.modules.get("decimal")
        if decimal is not None and isinstance(value, decimal.Decimal):
            self._marked = True
            digits = "NaN" if value.is_nan() else str(value)
            return self._mark + digits + self._mark
        if isinstance(value, bytes):
            return value.decode("utf-8")
        as_dict = getattr(value, "_asdict", None)
        if callable(as_dict):
            return as_dict()
        raise TypeError("Object of type {} is not JSON serializable".format(type(value).__name__))

    def to_json(self, value):
        self._marked = False
        text = self._encoder.encode(_without_named_tuples(value, set()))
        return re.sub('"{0}([^"]*){0}"'.format(self._mark), r"\1", text) if self._marked else text

    def event(self, payload):
        try:
            return json.loads(payload.decode("utf-8"))
        except Exception as error:
            raise Fault("UnmarshalError", "Unable to unmarshal input: {}".format(error)) from None

    def answer(self, value):
        """The payload of a response, as bytes."""
        if isinstance(value, bytes):
            return value
        try:
            return self.to_json(value).encode("utf-8")
        except Exception as error:
            raise Fault("MarshalError", "Unable to marshal response: {}".format(error)) from None


def _without_named_tuples(value, path):
    """`value` itself, or a copy in which every named tuple is an object. `path` holds the ids of what is around it."""
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value
    if not isinstance(value, (dict, list, tuple)):
        return value
    if id(value) in path:
        # A circle: the encoder reports it.
        return value
    path.add(id(value))
    try:
        if isinstance(value, tuple) and callable(getattr(value, "_asdict", None)):
            return _without_named_tuples(value._asdict(), path)
        if isinstance(value, dict):
            changed = {}
            for key, item in value.items():
                plain = _without_named_tuples(item, path)
                if plain is not item:
                    changed[key] = plain
            return {**value, **changed} if changed else value
        items = None
        for index, item in enumerate(value):
            plain = _without_named_tuples(item, path)
            if plain is not item:
                if items is None:
                    items = list(value)
                items[index] = plain
        return value if items is None else items
    finally:
        path.discard(id(value))
