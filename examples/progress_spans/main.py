"""Adds numbers, and reports its progress and the duration of each part."""


def start(args, hkubeApi):
    numbers = args["input"][0]
    total = 0
    with hkubeApi.span("add", {"count": len(numbers)}):
        for index, number in enumerate(numbers, start=1):
            with hkubeApi.span("one"):
                total += number
            hkubeApi.progress(100 * index // len(numbers), f"{index} of {len(numbers)}")
    return total
