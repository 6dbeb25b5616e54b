"""Runs an event loop of its own in start."""

import asyncio


async def work(number):
    await asyncio.sleep(0)
    return number * 2


def start(args, api):
    if args["input"][0] == "wait":
        print("waiting", flush=True)
        asyncio.run(asyncio.sleep(600))
    return asyncio.run(work(args["input"][0]))
