from wrapper.streaming.queue import ChildCounts
from wrapper.streaming.statistics import MOST_DURATIONS, ChildStatistics

COUNTS = ChildCounts(waiting=1, sent=2, responses=3, dropped=4, redelivered=5)


def test_a_report_has_what_the_worker_reads_and_the_redelivered():
    statistics = ChildStatistics()
    statistics.sent(7.0)
    statistics.handled(9.0, 8.0)
    assert statistics.report("B", COUNTS).message() == {
        "nodeName": "B",
        "sent": 2,
        "queueSize": 1,
        "netDurations": [8.0],
        "durations": [9.0],
        "queueDurations": [7.0],
        "responses": 3,
        "dropped": 4,
        "redelivered": 5,
    }


def test_a_report_has_the_newest_times_and_the_next_one_begins_anew():
    statistics = ChildStatistics()
    for number in range(100):
        statistics.handled(float(number), 0.0)
    report = statistics.report("B", COUNTS)
    assert report.durations == [float(number) for number in range(100 - MOST_DURATIONS, 100)]
    assert statistics.report("B", COUNTS).durations == []
