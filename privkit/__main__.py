"""`python -m privkit`."""

import signal
import sys

# Ctrl-C while the command line is being loaded ends the process at once, without a traceback.
_loading = signal.getsignal(signal.SIGINT) is signal.default_int_handler
if _loading:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from privkit.cli import main  # noqa: E402

if _loading:
    signal.signal(signal.SIGINT, signal.default_int_handler)

if __name__ == "__main__":
    sys.exit(main())
