#!/usr/bin/env python3
"""Reads Remit's error forms with botocore's own parsers: error_forms.py PROGRAM.

PROGRAM prints them (src/aws/error_form_print.cc). Exit codes: 0 all are read as AWS's would be,
1 one is not, 77 without botocore.
"""

import base64
import json
import subprocess
import sys

try:
    import botocore.parsers
    import botocore.session
except ImportError:
    print("skipped: no botocore in this Python (scripts/env harness)")
    sys.exit(77)

PARSERS = {"query": "query", "ec2": "ec2", "json-1.0": "json", "json-1.1": "json",
           "rest-json": "rest-json", "rest-xml": "rest-xml", "rpc-v2-cbor": "smithy-rpc-v2-cbor"}
MESSAGE = 'refused by <remit> & "its" policy ä'


def main():
    lines = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout
    session = botocore.session.Session()
    bad = 0
    for form in map(json.loads, lines.splitlines()):
        model = session.get_service_model(form["service"]).operation_model(form["operation"])
        parser = botocore.parsers.create_parser(PARSERS[form["protocol"]])
        response = {"status_code": form["status"], "headers": form["headers"],
                    "body": base64.b64decode(form["body_b64"]), "context": {}}
        parsed = parser.parse(response, model.output_shape)
        error, meta = parsed.get("Error", {}), parsed.get("ResponseMetadata", {})
        good = (error.get("Code") in ("AccessDenied", "AccessDeniedException") and
                error.get("Message") == MESSAGE and meta.get("HTTPStatusCode") == form["status"] and
                meta.get("RequestId") == "remit-0001")
        bad += not good
        print("good" if good else f"BAD {parsed}", form["protocol"], form["service"],
              error.get("Code"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
