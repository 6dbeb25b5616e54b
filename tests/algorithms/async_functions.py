"""All of its functions are async."""

import asyncio

seen = []


async def initialize(args):
    await asyncio.sleep(0)
    seen.append("initialize")


async def stop(args):
    await asyncio.sleep(0)
    seen.append("stop")


async def exit(args):
    await asyncio.sleep(0)
    print("exit was awaited", flush=True)


async def start(args, api):
    if args["input"][0] == "wait":
        print("waiting", flush=True)
        await asyncio.sleep(600)
    return seen
