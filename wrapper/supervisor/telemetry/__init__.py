"""Traces and figures for operators, from the messages between worker and algorithm."""
