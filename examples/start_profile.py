"""Start a profile for a few seconds: start_profile.py http://HOST:8080 USER PASSWORD PROFILE

This is what cameras and door controllers send: JSON over HTTP with Digest authentication.
"""

import json
import sys
import time
import urllib.request
from typing import Any

URL = "/axis-cgi/siren_and_light.cgi"


def opener(base: str, user: str, password: str) -> urllib.request.OpenerDirector:
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, base, user, password)
    return urllib.request.build_opener(urllib.request.HTTPDigestAuthHandler(passwords))


def call(http: urllib.request.OpenerDirector, base: str, method: str, **params: Any) -> Any:
    body = json.dumps({"apiVersion": "1.0", "method": method, "params": params}).encode()
    request = urllib.request.Request(base + URL, body, {"Content-Type": "application/json"})
    with http.open(request, timeout=5) as response:
        answer = json.load(response)
    if "error" in answer:
        raise SystemExit(f"refused: {answer['error']['code']} {answer['error']['message']}")
    return answer["data"]


def main() -> None:
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    base, user, password, profile = sys.argv[1:]
    http = opener(base, user, password)
    print("started:", call(http, base, "start", profile=profile))
    time.sleep(5)
    call(http, base, "stop", profile=profile)
    print("stopped")


if __name__ == "__main__":
    main()
