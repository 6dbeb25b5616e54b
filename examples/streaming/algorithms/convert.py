"""The worker: HKube calls `start` once for each message, and sends on what it returns."""


def start(args, hkubeApi):
    message = args["streamInput"]["message"]
    return {**message, "celsius": (message["fahrenheit"] - 32) * 5 / 9}
