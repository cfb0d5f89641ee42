"""Runtime client for Python functions. Boots without a function and is told its function by INIT (docs/runtimes.md)."""
from lambent_runtime.loop import main

if __name__ == "__main__":
    main()
