"""Calls several algorithms with the same numbers, concurrently and without threads."""

import asyncio


async def start(args, hkubeApi):
    names, numbers = args["input"]
    calls = [hkubeApi.start_algorithm(name, [numbers], blocking=False) for name in names]
    return dict(zip(names, await asyncio.gather(*calls), strict=True))
