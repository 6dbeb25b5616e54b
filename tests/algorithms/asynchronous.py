"""An async start: returns, waits, calls a sub-pipeline, gathers several."""

import asyncio


async def start(args, api):
    what = args["input"][0]
    if what == "wait":
        print("waiting", flush=True)
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            print("cancelled", flush=True)
            raise
    if what == "pipeline":
        return await api.start_stored_subpipeline("sub", {"n": 1}, blocking=False)
    if what == "gather":
        calls = [api.start_algorithm("alg", [n], blocking=False) for n in range(5)]
        return await asyncio.gather(*calls)
    await asyncio.sleep(0)
    return "async"
