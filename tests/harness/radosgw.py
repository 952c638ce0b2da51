"""radosgw (S3 and STS that enforce session policies) for a test session."""

import shutil
import subprocess

import pytest

from .paths import TESTS


class Radosgw:
    def __init__(self, folder):
        if not shutil.which("radosgw", path="/usr/bin:/bin"):
            pytest.skip("radosgw is not installed (scripts/packages real)")
        self.folder = folder
        started = subprocess.run([TESTS / "radosgw" / "up", folder], capture_output=True, text=True, timeout=180)
        assert started.returncode == 0, started.stderr
        values = dict(line.split("=", 1) for line in started.stdout.splitlines())
        self.endpoint, self.role = values["RGW_ENDPOINT"], values["RGW_ROLE_ARN"]
        self.access_key, self.secret_key = values["RGW_ACCESS_KEY"], values["RGW_SECRET_KEY"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([TESTS / "radosgw" / "down", self.folder], check=True, capture_output=True, timeout=60)

    def client(self, service, **credentials):
        import boto3

        return boto3.client(service, endpoint_url=self.endpoint, region_name="us-east-1",
                            aws_access_key_id=credentials.get("access_key", self.access_key),
                            aws_secret_access_key=credentials.get("secret_key", self.secret_key),
                            aws_session_token=credentials.get("token"))
