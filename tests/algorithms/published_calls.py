"""Uses the second argument of start as published algorithms do."""


def start(args, hkubeApi):
    error, data_source = hkubeApi.getDataSource({"dataSourceId": "ds"})
    algorithm = hkubeApi.start_algorithm("green-alg", [1, 2], True)
    stored = hkubeApi.start_stored_subpipeline("simple", {"a": 1}, includeResult=True)
    raw = hkubeApi.start_raw_subpipeline(
        "raw", [{"nodeName": "n"}], {"b": 2}, options={"ttl": 9}, webhooks={"w": 1}
    )
    return [error, data_source, algorithm, stored, raw]
