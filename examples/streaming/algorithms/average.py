"""The sink: it takes its messages in a loop, which ends when HKube stops the task."""


def start(args, hkubeApi):
    total = 0.0
    for count, message in enumerate(hkubeApi.messages(), start=1):
        total += message.value["celsius"]
        print(f"reading {count}: the average is {total / count:.1f} °C")
