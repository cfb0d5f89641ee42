"""Frames on file descriptor 3 (docs/runtimes.md). Reading and writing block; writing is safe from several threads."""
import os
import select
import struct
from _thread import allocate_lock

CONTROL_FD = 3

INIT = 0x01
INVOKE = 0x02
SNAPSHOT = 0x03
RESTORE = 0x04
READY = 0x81
INIT_DONE = 0x82
INIT_ERROR = 0x83
RESPONSE = 0x84
ERROR = 0x85
LOG = 0x89
OUTPUT = 0x8A

_READ_BYTES = 65536
_prefix = struct.Struct(">IBI")
_lock = allocate_lock()
_forked = False
_received = bytearray()


def _after_fork():
    # Two processes that write to one socket would mix their frames; a copy of the runtime prints as other programs do.
    global _forked
    _forked = True


def is_ours():
    """False in a process that the function forked off: the channel is its parent's."""
    return not _forked


def close_channel():
    """There is none: this process prints as other programs do."""
    _after_fork()


def open_channel():
    os.register_at_fork(after_in_child=_after_fork)
    os.set_blocking(CONTROL_FD, True)
    # A program that the function starts must not hold the channel open.
    os.set_inheritable(CONTROL_FD, False)


def send(frame_type, header, payload):
    """Sends one frame and returns when the socket has taken it. `header` and `payload` are bytes."""
    data = _prefix.pack(5 + len(header) + len(payload), frame_type, len(header)) + header + payload
    with _lock:
        written = os.write(CONTROL_FD, data)
        if written < len(data):
            rest = memoryview(data)[written:]
            while rest:
                rest = rest[os.write(CONTROL_FD, rest) :]


def exclusively():
    """For `with`: nobody sends meanwhile."""
    return _lock


def has_input():
    """True when a frame has begun to arrive, or the host has hung up."""
    return bool(select.select([CONTROL_FD], [], [], 0)[0])


def receive():
    """The next frame as (type, header, payload), both bytes; None when the host has hung up."""
    while True:
        if len(_received) >= _prefix.size:
            length, frame_type, header_bytes = _prefix.unpack_from(_received)
            end = 4 + length
            if len(_received) >= end:
                body_at = _prefix.size + header_bytes
                frame = (frame_type, bytes(_received[_prefix.size : body_at]), bytes(_received[body_at:end]))
                del _received[:end]
                return frame
        chunk = os.read(CONTROL_FD, _READ_BYTES)
        if not chunk:
            return None
        _received.extend(chunk)
