"""Leaves processes behind: a child, one in its own session, and a double-forked daemon. May get stuck then."""

import os
import subprocess
import sys
import time
from contextlib import suppress

CODE = "import time; time.sleep(600)"
DAEMON = """
import os, sys, time
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
sys.stdout.write(str(os.getpid()))
sys.stdout.flush()
os.close(1)
time.sleep(600)
"""


def start(args, api):
    plain = subprocess.Popen([sys.executable, "-c", CODE])
    own_session = subprocess.Popen([sys.executable, "-c", CODE], start_new_session=True)
    daemon = subprocess.run(
        [sys.executable, "-c", DAEMON], stdout=subprocess.PIPE, text=True, check=True
    )
    pids = [plain.pid, own_session.pid, int(daemon.stdout)]
    if args["input"] == ["crash"]:
        os._exit(5)
    if args["input"] == ["stick"]:
        print("waiting", flush=True)
        while True:
            with suppress(BaseException):
                time.sleep(600)
    return pids
