"""A real S3 server for tests: moto, in a thread, with all data in memory.

Among the available packages, moto responds like Amazon to multipart uploads, errors and listings;
`s3rver` on npm has been unmaintained for years.
"""

from __future__ import annotations

import logging
from typing import Any

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

KEY, SECRET = "a-key", "a-secret"


class S3Server:
    """A server on 127.0.0.1, with a client that is independent of the wrapper's.

    Args:
        buckets: Buckets to create at the start.
    """

    def __init__(self, *buckets: str) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}),
        )
        for bucket in buckets:
            self.client.create_bucket(Bucket=bucket)

    def close(self) -> None:
        """Stop the server."""
        self.client.close()
        self._server.stop()
