"""``jwt-authorizer mint``: test tokens, valid ones and ones with exactly one defect."""

from __future__ import annotations

import json
import time
from pathlib import Path  # noqa: TC003 - Typer reads annotations at run time
from typing import Annotated

import typer

from jwt_authorizer_devkit.cli.minting import ask_issuer, read_key
from jwt_authorizer_devkit.cli.terminal import JsonOption, WrongInputError, progress, write_json
from jwt_authorizer_devkit.explaining.redaction import shortened
from jwt_authorizer_devkit.mint import Defect, access_claims, mint
from jwt_authorizer_devkit.proofs import DpopClient
from jwt_authorizer_devkit.signing import ALGORITHMS, key_set

_LOCAL_ISSUER = "http://127.0.0.1:8480"


def mint_command(  # noqa: PLR0913, PLR0917 - the options of a command are its parameters
    issuer: Annotated[
        str, typer.Option(metavar="URL", help="The running local issuer; with --key-file, the iss.")
    ] = _LOCAL_ISSUER,
    key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Sign with this private key (PEM), without an issuer.")
    ] = None,
    kid: Annotated[str, typer.Option(metavar="KID", help="With --key-file: the key's id.")] = "dev",
    audience: Annotated[
        list[str] | None, typer.Option("--audience", "--aud", metavar="AUD", help="The claim aud; repeatable.")
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(metavar="NAME", help="The tenant, if the issuer has {tenant} in it.")
    ] = None,
    subject: Annotated[str, typer.Option("--subject", "--sub", metavar="SUB", help="The claim sub.")] = "user-1",
    client_id: Annotated[str, typer.Option(metavar="ID", help="The claim client_id.")] = "demo-client",
    scope: Annotated[str | None, typer.Option(metavar="SCOPES", help="Scopes, separated by spaces.")] = None,
    claim: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="A further claim. VALUE is JSON or a string. NAME=null leaves a claim out."
        ),
    ] = None,
    lifetime: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="The time from iat to exp.")] = 300,
    defect: Annotated[
        Defect | None,
        typer.Option(metavar="DEFECT", help=f"The token's one defect: {', '.join(Defect)}."),
    ] = None,
    alg: Annotated[
        str | None, typer.Option(metavar="ALG", help="The algorithm of the key to use; none: no signature.")
    ] = None,
    expired: Annotated[bool, typer.Option("--expired", help="Same as --defect expired.")] = False,  # noqa: FBT002 - a flag
    dpop: Annotated[
        str | None,
        typer.Option(
            metavar='"METHOD URL"', help="Bind the token to a new key, and print it with a DPoP proof for this request."
        ),
    ] = None,
    jwks: Annotated[  # noqa: FBT002 - a flag
        bool, typer.Option("--jwks", help="With --key-file: print its key set for JWT_JWKS instead.")
    ] = False,
    as_json: JsonOption = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Print a token of a local issuer, or one signed with a key file.

    Exit codes: 0 printed, 2 wrong input, 3 the issuer cannot be reached.

    \b
    Examples:
      jwt-authorizer mint --scope "orders:read orders:write" --claim 'groups=["staff"]'
      jwt-authorizer mint --expired
      jwt-authorizer mint --issuer 'http://127.0.0.1:8480/{tenant}' --tenant acme
      jwt-authorizer mint --key-file dev.pem --jwks
      jwt-authorizer mint --dpop "GET $URL/orders" >headers && curl -H @headers $URL/orders
      jwt-authorizer mint --key-file dev.pem --issuer https://myapp.authgear.cloud --lifetime 3600
    """
    wrong = _one_defect(defect, alg, expired=expired)
    key_alg = None if alg is None or alg.lower() == "none" else alg
    if key_alg is not None and key_alg not in ALGORITHMS:
        message = f"--alg {key_alg} is unknown: use none, {', '.join(ALGORITHMS)}. (HS256: --defect hmac-confusion.)"
        raise WrongInputError(message)
    if (tenant is not None) != ("{tenant}" in issuer):
        message = "--tenant needs an --issuer with {tenant} in it, and such an --issuer needs --tenant."
        raise WrongInputError(message)
    issuer = issuer.replace("{tenant}", tenant or "")
    audiences = audience or ["https://api.example.com"]
    client, method, url = _dpop(dpop)
    claims = _claims(claim or [])
    if client is not None:
        claims = {"cnf": client.cnf, **claims}
    if key_file is None:
        if jwks:
            raise WrongInputError("--jwks needs --key-file: a running issuer publishes its keys itself, at /jwks.")
        form = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "subject": subject,
            "audience": audiences,
            "lifetime": str(lifetime),
            "claims": json.dumps(claims),
            "scope": scope,
            "defect": None if wrong is None else str(wrong),
            "key": key_alg,
        }
        with progress("Asking the issuer for a token"):
            token = ask_issuer(issuer, form)
    else:
        key = read_key(key_file, kid, key_alg)
        if jwks:
            write_json(key_set((key,)))
            return
        aud = audiences[0] if len(audiences) == 1 else audiences
        known = access_claims(
            issuer,
            claims,
            audience=aud,
            now=time.time(),
            subject=subject,
            client_id=client_id,
            scope=scope,
            lifetime=lifetime,
        )
        token = mint(key, known, defect=wrong)
    proof = None if client is None else client.proof(token, method, url)
    if as_json:
        write_json({"token": token, "defect": wrong} | ({} if proof is None else {"proof": proof}))
    elif proof is None:
        print(token)
    else:
        print(f"Authorization: DPoP {token}\nDPoP: {proof}")


def _dpop(request: str | None) -> tuple[DpopClient | None, str, str]:
    """Make a client for ``--dpop``, and split the request that its proof is for."""
    if request is None:
        return None, "", ""
    method, _, url = request.strip().partition(" ")
    if not method.isalpha() or not url.strip().startswith(("https://", "http://")):
        raise WrongInputError(
            f'--dpop {shortened(request, 60)} is not a request: write it like "GET https://api.example.com/orders".'
        )
    return DpopClient(), method.upper(), url.strip()


def _one_defect(defect: Defect | None, alg: str | None, *, expired: bool) -> Defect | None:
    chosen = {defect} if defect else set()
    if expired:
        chosen.add(Defect.EXPIRED)
    if alg is not None and alg.lower() == "none":
        chosen.add(Defect.ALG_NONE)
    if len(chosen) > 1:
        message = f"A token has one defect, but {len(chosen)} are given: {', '.join(sorted(chosen))}."
        raise WrongInputError(message)
    return next(iter(chosen), None)


def _claims(written: list[str]) -> dict[str, object]:
    claims: dict[str, object] = {}
    for one in written:
        name, equals, value = one.partition("=")
        if not name or not equals:
            message = f"--claim {one} is not a claim: write NAME=VALUE, such as --claim 'groups=[\"staff\"]'."
            raise WrongInputError(message)
        try:
            claims[name] = json.loads(value)
        except ValueError:
            claims[name] = value
    return claims
