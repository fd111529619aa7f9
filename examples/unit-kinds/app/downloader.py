"""Downloads until there is nothing left: SIGUSR1 stands for that and ends it with 8, SIGUSR2 for a real failure, with 3."""

import signal
import sys

endings = {signal.SIGUSR1: 8, signal.SIGUSR2: 3}
signal.pthread_sigmask(signal.SIG_BLOCK, endings)
print("downloading")
sys.exit(endings[signal.sigwait(endings)])
