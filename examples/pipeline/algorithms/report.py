"""Runs a stored pipeline to find the longest word, and reports it."""


def start(args, hkubeApi):
    words, lengths = args["input"]
    flow_input = {"words": words, "lengths": lengths}
    nodes = hkubeApi.start_stored_subpipeline("longest", flow_input)
    return {"words": len(words), "longest": nodes[0]["result"]}
