"""Runs functions on capacity providers: several invocations at once, by the HTTP Runtime API (docs/runtimes.md)."""
import os
import sys

# Outside a sandbox the directories of code can be written, and all environments of the function share them.
if os.environ.get("LAMBDA_TASK_ROOT") != "/var/task":
    sys.dont_write_bytecode = True

from lambent_runtime.processes import main  # noqa: E402 -- after the switch, which must hold for this import too

if __name__ == "__main__":
    main()
