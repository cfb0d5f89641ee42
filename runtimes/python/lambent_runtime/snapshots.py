"""Being kept and continued elsewhere: hooks, and the exchange of what belongs to one place for what belongs to another."""
import os
import stat
import sys
import time

from . import channel

HOOKS_MODULE = "snapshot_restore_py"
_SLOTS = ((1, "stdout"), (2, "stderr"), (channel.CONTROL_FD, "control"))
_LOOK_EVERY_S = 0.002


def run_before_hooks():
    hooks = sys.modules.get(HOOKS_MODULE)
    if hooks:
        for func, args, kwargs in reversed(list(hooks.get_before_snapshot())):
            func(*args, **kwargs)


def run_after_hooks():
    hooks = sys.modules.get(HOOKS_MODULE)
    if hooks:
        for func, args, kwargs in list(hooks.get_after_restore()):
            func(*args, **kwargs)


def sleep_until_restored():
    """Lets go of the output and the channel, and returns when they are those of another environment."""
    with channel.exclusively():
        directory = os.path.join(os.environ["LAMBDA_RUNTIME_DIR"], "snapshot")
        for descriptor, name in _SLOTS:
            slot = os.open(os.path.join(directory, name), os.O_RDONLY)
            # The last one is the channel: when the host sees its end, everything is done.
            os.dup2(slot, descriptor, inheritable=descriptor != channel.CONTROL_FD)
            os.close(slot)
        while not stat.S_ISSOCK(os.fstat(channel.CONTROL_FD).st_mode):
            time.sleep(_LOOK_EVERY_S)
        os.set_blocking(channel.CONTROL_FD, True)
        os.set_inheritable(channel.CONTROL_FD, False)


def refresh_randomness():
    """Otherwise all that come from one snapshot would draw the same numbers."""
    random = sys.modules.get("random")
    if random:
        random.seed()
    ssl = sys.modules.get("ssl")
    if ssl:
        ssl.RAND_add(os.urandom(64), 64.0)
