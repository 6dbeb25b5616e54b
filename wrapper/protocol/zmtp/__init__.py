"""ZMTP 3, ZeroMQ's wire protocol (https://rfc.zeromq.org/spec/23/), without I/O.

Only what streaming needs: the NULL mechanism and the socket types DEALER and ROUTER.
"""
