"""The real parts, started once for each worker that needs them."""

import pytest

from harness.edge import Edge
from harness.moto import Moto
from harness.radosgw import Radosgw


@pytest.fixture(scope="session")
def radosgw(tmp_path_factory):
    """S3 and STS that enforce session policies; bucket `invoices` with one object, `other` with one."""
    with Radosgw(tmp_path_factory.mktemp("radosgw")) as started:
        s3 = started.client("s3")
        for bucket in ("invoices", "other"):
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key="2026/acme.txt", Body=b"total: 4200\n")
        yield started


@pytest.fixture(scope="session")
def moto(tmp_path_factory):
    with Moto(tmp_path_factory.mktemp("moto") / "log") as started:
        yield started


@pytest.fixture
def edge():
    with Edge() as started:
        yield started
