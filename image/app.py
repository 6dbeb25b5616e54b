"""The script that HKube's own builder starts in an image: `python -u app.py`."""

from hkube_python_wrapper import Algorunner

if __name__ == "__main__":
    Algorunner.Run()
