"""ZMTP 3, ZeroMQ's wire protocol (https://rfc.zeromq.org/spec/23/), without I/O.

Only what streaming and the peers of mode v3 need: the NULL mechanism, and the socket types DEALER,
ROUTER, REQ and REP.
"""
