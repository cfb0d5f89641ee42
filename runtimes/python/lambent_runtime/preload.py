"""
Loads what larger functions need while nobody waits: a runtime that has booted has nothing to do until it gets its
function. It stops as soon as there is something to read.
"""
import importlib
import os
import sys

from . import channel

# What the AWS SDK and its companions import from the standard library.
_MODULES = (
    "datetime decimal uuid ssl socket http.client http.cookiejar urllib.request email.parser email.message hashlib hmac "
    "base64 random threading concurrent.futures queue tempfile shutil subprocess gzip zipfile xml.etree.ElementTree "
    "configparser getpass inspect copy functools calendar csv typing dataclasses enum pathlib contextlib secrets "
    "importlib.metadata platform mimetypes html ipaddress asyncio"
).split()

# Top-level names that were not loaded before.
_loaded = set()


def preload():
    before = set(sys.modules)
    for name in _MODULES:
        if channel.has_input():
            break
        try:
            importlib.import_module(name)
        except ImportError:
            # This Python was built without it.
            pass
    _loaded.update(name.partition(".")[0] for name in set(sys.modules) - before)


def forget_shadowed(folders):
    """A function's own module of the same name comes first, as if nothing had been loaded."""
    if not _loaded:
        return
    for folder in folders:
        try:
            names = {entry.partition(".")[0] for entry in os.listdir(folder)}
        except OSError:
            continue
        for top in names & _loaded:
            for name in [each for each in sys.modules if each == top or each.startswith(top + ".")]:
                del sys.modules[name]
