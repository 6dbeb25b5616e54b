"""Calls another algorithm and a stored pipeline at the same time."""

from wrapper import SubPipelineError


def start(args, hkubeApi):
    order = args["input"][0]
    price = hkubeApi.start_algorithm("price", [order], blocking=False)  # a Future
    try:
        nodes = hkubeApi.start_stored_subpipeline("stock", flowInput={"item": order["item"]})
        in_stock = nodes[0]["result"]
    except SubPipelineError as error:
        in_stock = f"unknown: {error}"
    return {"price": price.result(), "in stock": in_stock}
