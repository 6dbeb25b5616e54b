"""Makes the call of HKubeApi that its input names, and returns the outcome."""


def start(args, api):
    name, *arguments = args["input"]
    try:
        return ["returned", getattr(api, name)(*arguments)]
    except Exception as error:
        return [type(error).__name__, str(error), error.__class__.__module__]
