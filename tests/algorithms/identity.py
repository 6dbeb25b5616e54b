"""Returns its process, thread and folder, and how many tasks it has had."""

import os
import sys
import threading

tasks = 0


def start(args, api):
    global tasks
    tasks += 1
    return {
        "pid": os.getpid(),
        "main_thread": threading.current_thread() is threading.main_thread(),
        "cwd": os.getcwd(),
        "folder": os.path.dirname(os.path.abspath(__file__)),
        "tasks": tasks,
        "name": __name__,
        "argv": sys.argv,
    }
