#!/usr/bin/env python3
"""Laws of the house that a machine can check (side doors between rooms are refused by CMake)."""

import pathlib
import re
import subprocess
import sys

root = pathlib.Path(__file__).resolve().parent.parent
found = []


def tell(path, line, message):
    found.append("%s:%d: %s" % (path, line, message))


FORBIDDEN = [
    (r"\bstd::regex\b", "std::regex overflows the stack on long input: RE2"),
    (r"\b(std::)?(stoi|stol|stoul|stoull|stod|stof|atoi|atol|strtol|strtod)\(", "std::from_chars"),
    (r"(?<![\w.:>])(std::)?(rand|srand|system|sprintf|vsprintf|strcpy|strcat|gets|tmpnam|popen)\(", "forbidden function"),
    (r"\b(TODO|FIXME|XXX|HACK)\b", "no unfinished work in the tree: an issue is the place"),
]
# <boost/asio…> in public headers only inside net and gateway.
ASIO = re.compile(r"#include\s*<boost/(asio|beast)")
PATHS = re.compile(r"(?<![\w.])/(work|root|farm|opt)/")
LONGEST = 600


def tracked(*patterns):
    listed = subprocess.run(["git", "ls-files", "-z", *patterns], cwd=root, capture_output=True, text=True, check=True)
    return [p for p in listed.stdout.split("\0") if p and (root / p).is_file()]


for path in tracked("src/*.cc", "src/*.h", "fuzz/*.cc", "bench/*.cc", "tools/*.cc"):
    lines = (root / path).read_text(encoding="utf-8").splitlines()
    if len(lines) > LONGEST:
        tell(path, len(lines), "longer than %d lines: split by job" % LONGEST)
    if path.endswith(".h") and "#pragma once" not in lines[:3]:
        tell(path, 1, "a header begins with #pragma once")
    room = path.split("/")[1]
    for number, line in enumerate(lines, 1):
        code = line.split("//")[0]
        for pattern, why in FORBIDDEN:
            if "from_chars" in why and (not path.startswith("src/") or "test" in path):
                continue
            if re.search(pattern, line if "TODO" in pattern else code):
                tell(path, number, why)
        if path.endswith(".h") and re.search(r"\busing namespace\b", code):
            tell(path, number, "no `using namespace` in a header")
        if ASIO.search(line) and room not in ("net", "gateway") and path.startswith("src/"):
            tell(path, number, "Asio appears only in net and its users in gateway")

for path in tracked("*.cc", "*.h", "*.md", "*.txt", "*.py", "*.sh", "*.json", "*.yaml", "*.yml", "*.cmake", "scripts", ".ci"):
    if path.startswith(("tests/env/", "fuzz/corpus/", "data/")) or path.endswith("package-lock.json"):
        continue
    for number, line in enumerate((root / path).read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if PATHS.search(line) and path != "scripts/lint.py":
            tell(path, number, "a path of one machine")

for path in tracked("src/*_fuzz.cc"):
    room, name = path.split("/")[1], pathlib.Path(path).stem.removesuffix("_fuzz")
    seeds = root / "fuzz" / "corpus" / ("%s_%s" % (room, name))
    if not seeds.is_dir() or len(list(seeds.iterdir())) < 3:
        tell(path, 1, "wants three seeds at least in %s" % seeds.relative_to(root))

print("\n".join(found) or "lint: clean")
sys.exit(1 if found else 0)
