"""The source: it sends one message for each reading."""


def start(args, hkubeApi):
    for number, fahrenheit in enumerate(args["input"][0]):
        hkubeApi.send_message({"number": number, "fahrenheit": fahrenheit})
