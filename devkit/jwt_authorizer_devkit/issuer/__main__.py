"""``python -m jwt_authorizer_devkit.issuer``: the local issuer on a port of its own, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from jwt_authorizer_devkit.issuer.provider import Discovery, Provider
from jwt_authorizer_devkit.issuer.server import IssuerServer, TlsFiles
from jwt_authorizer_devkit.mint import Defect
from jwt_authorizer_devkit.signing import ALGORITHMS


def main(arguments: list[str] | None = None) -> int:
    """Run until interrupted; give the exit code."""
    options = _parser().parse_args(arguments)
    provider = Provider(
        path=options.path, algorithms=tuple(options.alg or ["RS256"]), discovery=Discovery(options.discovery)
    )
    tls = TlsFiles(options.cert, options.key) if options.cert else None
    server = IssuerServer(provider, host=options.host, port=options.port, name=options.name, tls=tls)
    try:
        server.start()
    except OSError as error:
        print(f"cannot listen on {options.host}:{options.port}: {error.strerror}; try --port 0", file=sys.stderr)
        return 1
    print(_welcome(provider), flush=True)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
    server.stop()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m jwt_authorizer_devkit.issuer", description="A local OpenID issuer, for development."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8480, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--name", help="host name in URLs, if it isn't the address")
    parser.add_argument("--path", default="", help="the issuer's path, as in /realms/demo")
    parser.add_argument("--alg", action="append", choices=ALGORITHMS, help="a key each; repeatable (default: RS256)")
    parser.add_argument("--discovery", choices=list(Discovery), default=Discovery.OPENID, help="(default: %(default)s)")
    parser.add_argument("--cert", type=Path, help="serve https with this certificate (PEM)")
    parser.add_argument("--key", type=Path, help="the certificate's private key (PEM)")
    return parser


def _welcome(provider: Provider) -> str:
    return f"""\
issuer  {provider.url}
keys    {provider.jwks_url}
tokens  curl -s {provider.token_url} -H 'Accept: application/jwt' -d grant_type=client_credentials -d client_id=me \\
          -d scope=orders:read -d audience=https://api.example.com
        also: subject, lifetime, claims (JSON), key (kid or alg), defect ({", ".join(Defect)})
knobs   curl -s {provider.origin}/-/state
        curl -s {provider.origin}/-/rotate -H 'Content-Type: application/json' -d '{{"alg": "ES256"}}'
        curl -s {provider.origin}/-/misbehave -H 'Content-Type: application/json' \\
          -d '{{"endpoint": "jwks", "fault": "status:503", "times": 2}}'
Ctrl-C ends it."""


if __name__ == "__main__":
    sys.exit(main())
