"""Print what the device shows and who is calling: status.py http://HOST:8080 USER PASSWORD"""

import json
import sys
import urllib.request
from typing import Any


def main() -> None:
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    base, user, password = sys.argv[1:]
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, base, user, password)
    http = urllib.request.build_opener(urllib.request.HTTPDigestAuthHandler(passwords))
    with http.open(base + "/api/v1/status", timeout=5) as response:
        status: Any = json.load(response)
    print(f"{status['device']['name']}, serial number {status['device']['serial']}")
    for function in status["functions"]:
        for operation in function["operations"]:
            mark = "*" if operation["shown"] else " "
            print(
                f"{mark} {function['name']:<14} {operation['priority']:>2} {operation['pattern']}"
            )
            if not operation["shown"]:
                continue
            for link in operation["why"]:
                items = ", ".join(f"{value}" for value in link["items"].values())
                print(f"      because of {link['kind']} {link['name']}: {items}")
    for call in status["calls"]:
        print(f"call {call['remote_uri']} → {call['local_uri']}: {call['state']}, {call['codec']}")


if __name__ == "__main__":
    main()
