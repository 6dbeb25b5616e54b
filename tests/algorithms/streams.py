"""Uses the streaming calls."""


def start(args, api):
    outcome = []
    for call in (
        lambda: api.sendMessage({"a": 1}),
        lambda: api.registerInputListener(print),
        lambda: api.startMessageListening(),
    ):
        try:
            call()
            outcome.append("returned")
        except Exception as error:
            outcome.append(str(error))
    return outcome
