"""From operations to IAM actions: the name rule, and the reviewed exceptions."""

import pathlib
import tomllib

from . import models

HERE = pathlib.Path(__file__).resolve().parent.parent


class Exceptions:
    def __init__(self, text=None):
        data = tomllib.loads(text if text is not None else
                             (HERE / "exceptions.toml").read_text())
        self.prefixes = data.get("prefixes", {})
        self.signing = data.get("signing", {})
        self.credentials = set(data.get("credentials", {}).get("operations", []))
        self.passed_to = data.get("passed_to", {})
        self.passes_role = set(data.get("passes_role", {}).get("operations", []))
        self.aliases = data.get("aliases", {})
        self.bound = data.get("bind", {})
        self.services = data.get("service", {})
        for name, service in [*self.services.items(), *self.aliases.items(), *self.bound.items()]:
            if not service.get("source", "").startswith("https://"):
                raise SystemExit(f"exceptions.toml: service.{name} names no source")

    def unused(self, services):
        """Entries that name nothing in the models: mistakes or leftovers."""
        lost = [f"prefixes.{s}" for s in self.prefixes if s not in services]
        lost += [f"passed_to.{s}" for s in self.passed_to if s not in services]
        lost += [f"signing: {s}" for names in self.signing.values() for s in names
                 if s not in services]
        for key in sorted(self.credentials | self.passes_role):
            service, operation = key.split(":")
            if service not in services or operation not in services[service].operations:
                lost.append(f"operations: {key}")
        for name, entry in self.services.items():
            if name not in services:
                lost.append(f"service.{name}")
                continue
            for operation in entry.get("actions", {}):
                if operation not in services[name].operations:
                    lost.append(f"service.{name}: {operation}")
        for name, entry in self.bound.items():
            known = services[name].operations if name in services else {}
            named = [key.split(".")[0] for key in entry if "." in key] + entry.get("one_of", [])
            named += [key.split(".")[0] for key in entry.get("elsewhere", [])]
            lost += [f"bind.{name}: {operation}" for operation in named if operation not in known]
        return lost


WORDS = ("source", "one_of", "fixed", "elsewhere")  # of [bind.SERVICE], which name no variable


def reviewed(service, operation, exceptions):
    """Gives the operation what exceptions.toml says of its names."""
    operation.aliases = exceptions.aliases.get(service.name, {})
    operation.bound = exceptions.bound.get(service.name, {})
    wanted = {name for key, value in operation.bound.items() if key not in WORDS
              for name in ([value] if isinstance(value, str) else value)
              if "/" in name and key.split(".")[0] in (key, operation.name)}
    for path in sorted(wanted):
        top = path.split("/")[0]
        if any(m.name == top for m in operation.members) and \
                all(m.name != path for m in operation.members):
            operation.members.append(models.Member(path, path, models.BODY, 0, False))


LEVELS = {"List": 1, "Read": 2, "Write": 3, "Tagging": 4, "Permissions management": 5}


def level(text):
    """The most consequential of the levels that the data name ('Permissions management, Write')."""
    names = [part.strip() for part in (text or "").split(",")]
    return max((LEVELS.get(name, 0) for name in names), default=0)


class Actions:
    def __init__(self, data, exceptions):
        self.data = data
        self.exceptions = exceptions
        self.known = set(data.prefixes())

    def prefix(self, service):
        if service.name in self.exceptions.prefixes:
            return self.exceptions.prefixes[service.name]
        return service.signing_name.lower()

    def of(self, service, operation):
        """Full action names of an operation: never none, so that a policy is always asked."""
        prefix = self.prefix(service)
        entry = self.exceptions.services.get(service.name, {})
        if operation.name in entry.get("actions", {}):
            return [a if ":" in a else f"{prefix}:{a}" for a in entry["actions"][operation.name]]
        if entry.get("verbs"):
            return [f"{prefix}:{operation.method}"]
        found = self.data.actions(prefix).get(operation.name.lower())
        return [f"{prefix}:{found['name'] if found else operation.name}"]

    def record(self, name):
        """The iam-data entry of a full action name, or None."""
        prefix, action = name.split(":", 1)
        return self.data.actions(prefix).get(action.lower())
