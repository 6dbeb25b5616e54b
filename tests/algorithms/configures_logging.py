"""Configures logging as a program of its own would."""

import logging

logging.basicConfig(level=logging.DEBUG, format="user %(levelname)s %(message)s", force=True)


def start(args, api):
    logging.getLogger().handlers.clear()
    logging.basicConfig(level=logging.DEBUG, format="user %(message)s")
    logging.disable(logging.NOTSET)
    logging.info("hello from logging")
    logging.shutdown()
    return "logged"
