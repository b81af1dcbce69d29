"""`python -m inkdigits` and `inkdigits` are the command line."""

import os
import signal


def main() -> None:
    """Run the command line; Ctrl-C while it is being loaded ends it as quietly as later."""
    heard = signal.getsignal(signal.SIGINT)
    if heard is signal.default_int_handler:  # else somebody wants it ignored, as nohup does
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))  # nothing is begun yet that would have to be cleared away
    from .cli import main as run

    signal.signal(signal.SIGINT, heard)
    run()


if __name__ == "__main__":
    main()
