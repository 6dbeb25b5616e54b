"""Its import takes as long as the file `hold` exists."""

import os
import time

with open("importing", "w") as mark:
    mark.write("yes")
while os.path.exists("hold"):
    time.sleep(0.02)


def start(args, api):
    return "imported"
