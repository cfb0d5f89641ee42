"""Hooks of SnapStart: what a function wants done before its snapshot is taken, and after it was restored from one.

The same interface as AWS's library of this name, which its managed runtimes contain. A function that brings that library
uses its own copy; the runtime asks whichever was imported.
"""

__all__ = ["register_before_snapshot", "register_after_restore"]

_before = []
_after = []


def register_before_snapshot(func, *args, **kwargs):
    """Also a decorator. Called in the opposite order of registration."""
    _before.append((func, args, kwargs))
    return func


def register_after_restore(func, *args, **kwargs):
    """Also a decorator. Called in the order of registration."""
    _after.append((func, args, kwargs))
    return func


def get_before_snapshot():
    return _before


def get_after_restore():
    return _after
