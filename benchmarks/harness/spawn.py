"""Run one command and tell what it cost: ``python3 -I -S spawn.py SECONDS OUTPUT COMMAND...``, one line of figures on stdout.

A process of its own, because a child's peak memory counts from its parent's at the moment of the fork: this one is small.
The figures are: exit status (124 past SECONDS), CPU seconds (user + system), wall seconds, peak MiB of the largest process.
"""

import os
import signal
import sys
import time


def main(seconds, output, argv):
    """CPU and peak are of the command and of every process that was waited for below it."""
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        null, sink = os.open(os.devnull, os.O_RDONLY), os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(null, 0)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        os.execvp(argv[0], argv)
    ended = []
    signal.signal(signal.SIGALRM, lambda *_: (ended.append(124), os.killpg(pid, signal.SIGKILL)))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _, status, used = os.wait4(pid, 0)
    wall = time.monotonic() - start
    code = ended[0] if ended else os.waitstatus_to_exitcode(status)
    print(code, used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


main(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
