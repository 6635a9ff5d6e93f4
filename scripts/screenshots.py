# ruff: noqa: INP001 - a script, run by its path
"""Draw the pictures of ``docs/tools.md`` anew, by running the tools: ``.venv/bin/python scripts/screenshots.py``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a script's own folder is on the path, not the one above it

from jwt_authorizer_devkit.cli.doctor import show as show_findings  # noqa: E402 - needs the path
from jwt_authorizer_devkit.cli.explain_view import show as show_explanation  # noqa: E402 - after the path that finds them
from jwt_authorizer_devkit.doctoring.issuers import Asked, examine_issuer  # noqa: E402 - after the path that finds them
from jwt_authorizer_devkit.explaining import ApiKind, event_for, explain, watched_function  # noqa: E402 - after the path that finds them
from jwt_authorizer_devkit.issuer import local_issuer  # noqa: E402 - after the path that finds them
from jwt_authorizer_devkit.mint import access_claims, mint  # noqa: E402 - after the path that finds them
from jwt_authorizer_devkit.signing import generate, key_set  # noqa: E402 - after the path that finds them

IMAGES = ROOT / "docs" / "images"
NOW = 1_795_500_000
ISSUER = "https://myapp.authgear.cloud"
CONFIG = """
[[issuers]]
issuer = "{issuer}"
audience = ["https://api.example.com"]
jwks = '{keys}'
[[routes]]
method = "GET"
path = "/orders/{{id}}"
scopes = ["orders:read"]
[[routes]]
method = ["PUT", "DELETE"]
path = "/orders/{{id}}"
scopes = ["orders:write"]
"""


def main() -> None:
    """Write all pictures."""
    IMAGES.mkdir(exist_ok=True)
    key = generate("RS256", "2026-11")
    config = CONFIG.format(issuer=ISSUER, keys=json.dumps(key_set((key,))))
    watched = watched_function({"JWT_CONFIG": config}, now=NOW, package_root=ROOT)

    def picture_of(name: str, **claims: object) -> None:
        said = access_claims(ISSUER, claims, audience="https://api.example.com", now=NOW - 60, scope="orders:read")
        event = event_for(mint(key, said), watched.settings.token_sources[0], ApiKind.REST, "GET", "/orders/1")
        console = recorder()
        show_explanation(explain(event, watched), None, console)
        save(console, name, "jwt-authorizer explain")

    picture_of("explain-refused", aud="demo-client", azp="demo-client", scope=None)
    picture_of("explain-allowed")
    with local_issuer(algorithms=("RS256",), jwks_headers={"Cache-Control": "max-age=86400"}) as issuer:
        issuer.add_key(generate("RS256", "from-2014", rsa_bits=1024))
        keys, algorithms = watched.settings.keys, watched.settings.issuers[0].algorithms
        keys = type(keys)(keys.ttl, keys.max_stale, keys.cooldown, keys.timeout, allow_http=True)
        console = recorder()
        show_findings(list(examine_issuer(Asked(issuer.url, None, keys, 60, algorithms, ROOT))), console)
        save(console, "doctor", "jwt-authorizer doctor")


def recorder() -> Console:
    """Give a console that keeps what is printed, and prints nothing."""
    return Console(record=True, width=118, file=Path("/dev/null").open("w", encoding="utf-8"), highlight=False)


def save(console: Console, name: str, title: str) -> None:
    """Write a picture. It loads nothing from elsewhere: fonts are the reader's own."""
    svg = console.export_svg(title=title, unique_id=name)
    (IMAGES / f"{name}.svg").write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL), "utf-8")


if __name__ == "__main__":
    main()
