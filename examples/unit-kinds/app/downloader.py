"""Downloads until nothing is left: SIGUSR1 stands for that and ends it with 8, SIGUSR2 for a failure, with 3."""

import signal
import sys

from notify import notify

endings = {signal.SIGUSR1: 8, signal.SIGUSR2: 3}
signal.pthread_sigmask(signal.SIG_BLOCK, endings)
notify("READY=1")
print("downloading")
sys.exit(endings[signal.sigwait(endings)])
