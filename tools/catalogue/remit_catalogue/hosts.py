"""Host names of each service, from the endpoint rules of its model.

A template is the host without the partition's DNS suffix; `{r}` stands for a region and `{*}` for
one label or part of one. 'https://{AccountId}.ddb.{Region}.{PartitionResult#dnsSuffix}' becomes
'{*}.ddb.{r}'. A host outside every partition's suffix stays whole, with a '!' in front.
"""

import re


def suffixes(partitions):
    found = set()
    for partition in partitions:
        found |= {partition["outputs"]["dnsSuffix"], partition["outputs"]["dualStackDnsSuffix"]}
    return sorted(found, key=lambda s: (-len(s), s))


def _urls(node, found):
    if isinstance(node, dict):
        endpoint = node.get("endpoint")
        if isinstance(endpoint, dict) and isinstance(endpoint.get("url"), str):
            found.add(endpoint["url"])
        for value in node.values():
            _urls(value, found)
    elif isinstance(node, list):
        for value in node:
            _urls(value, found)


def _template(url, known):
    if not url.startswith("https://") or "url#" in url:
        return None
    host = url.removeprefix("https://").split("/")[0]
    cut = re.sub(r"\.\{\w+#(dnsSuffix|dualStackDnsSuffix)\}$", "", host)
    if cut == host:
        cut = next((host.removesuffix("." + s) for s in known if host.endswith("." + s)), None)
        if cut is None:
            cut = "!" + host  # outside every partition's suffix: stays whole
    cut = re.sub(r"\{(Region|\w+#(region|implicitGlobalRegion))\}", "{r}", cut)
    return re.sub(r"\{(?!r\})[^}]+\}", "{*}", cut)


def templates(service, partitions):
    known = suffixes(partitions)
    regions = sorted({r for p in partitions for r in p["regions"]})
    urls = set()
    _urls(service.all_rules, urls)
    found = {t for t in (_template(u, known) for u in urls) if t}
    found.add(service.endpoint_prefix + ".{r}")
    kept = set()
    for template in found:
        labels = [("{r}" if label in regions else label) for label in template.split(".")]
        general = ".".join(labels)
        kept.add(general if general in found else template)
    return sorted(kept)


def _signing_regions(node, found):
    if isinstance(node, dict):
        endpoint = node.get("endpoint")
        if isinstance(endpoint, dict) and isinstance(endpoint.get("url"), str) and \
                endpoint["url"].startswith("https://"):
            for scheme in endpoint.get("properties", {}).get("authSchemes", []):
                if scheme.get("signingRegion"):
                    found.add(scheme["signingRegion"])
        for value in node.values():
            _signing_regions(value, found)
    elif isinstance(node, list):
        for value in node:
            _signing_regions(value, found)


def signing_regions(service, partitions):
    """Regions that the endpoint rules sign for at a global host.

    Clients sign for them at the regional hosts of such a service too: health.us-west-2 with
    us-east-1 in the scope (botocore's endpoints.json makes one service of both).
    """
    found = set()
    _signing_regions(service.all_rules, found)
    regions = {r for r in found if "{" not in r}
    if any("implicitGlobalRegion" in r for r in found):
        regions |= {p["outputs"]["implicitGlobalRegion"] for p in partitions}
    return sorted(regions)
