"""Tests each node alone; the fixture plays the others. Run: pytest examples/streaming"""

FLOW = "sensor >> convert >> average"


def test_each_reading_is_converted(hkube):
    stream = hkube.stream("convert.py", flows=FLOW)
    stream.send({"number": 0, "fahrenheit": 50})
    [message] = stream.sent()
    assert message.value == {"number": 0, "fahrenheit": 50, "celsius": 10.0}


def test_reading_reaches_the_sink_although_a_pod_dies_with_it(hkube):
    stream = hkube.stream("sensor.py", [[50, 59]], flows=FLOW)
    stream.lose_pod("convert")
    assert [message.value["fahrenheit"] for message in stream.sent()] == [50, 59]


def test_average(hkube):
    stream = hkube.stream("average.py", flows=FLOW, stateless=False)
    for celsius in (10, 20):
        stream.send({"celsius": celsius})
    stream.sent()
    assert "reading 2: the average is 15.0 °C" in stream.stop(force=False).logs
