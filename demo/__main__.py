"""``python -m demo``: set everything up, call it, show what came of it; at a terminal, stay up to be tried."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import textwrap
import time
from typing import TYPE_CHECKING, NoReturn

from rich.console import Console

from demo.calls import Api
from demo.scenarios import AUDIENCE, SCOPE, Outcome, attempt, attempts, tokens
from demo.stack import Stack, running_stack
from demo.table import footnotes, problems, results_table
from demo.tools import DemoError, Tools

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended, by the shells' custom."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; give the exit code: 0 if every attempt came out as it should."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="The authorizer before three APIs, locally.")
    parser.add_argument("--once", action="store_true", help="exit after the table, even at a terminal")
    options = parser.parse_args(arguments)
    console = Console()
    stays = console.is_terminal and sys.stdin.isatty() and not options.once and not os.environ.get("CI")
    # However the demo is ended, all that it started is stopped on the way out.
    for number in _ENDING:
        signal.signal(number, _interrupt)
    try:
        with running_stack(Tools(), lambda what: _step(console, what)) as stack:
            outcomes = _try_all(console, stack)
            failures = _show(console, outcomes)
            if failures:
                console.print("The authorizer's log ends:", style="bold")
                console.print(stack.main.log.text()[-3000:], markup=False, highlight=False)
                console.print("The local AWS's log ends:", style="bold")
                console.print(stack.aws.log.read_text()[-3000:], markup=False, highlight=False)
            if stays:
                # From here on Ctrl-C is the way out.
                with contextlib.suppress(KeyboardInterrupt):
                    _stay(console, stack)
                console.print("\nStopping …")
    except DemoError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped; nothing is left running.")
        return INTERRUPTED
    if stays:
        console.print("Stopped; nothing is left running.")
    return 1 if failures else 0


def _interrupt(*_: object) -> NoReturn:
    # Once is enough: a second signal, as of an impatient Ctrl-C, must not cut off the clearing away.
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextlib.contextmanager
def _step(console: Console, what: str) -> Iterator[None]:
    """Show that something is going on, and afterwards how long it took."""
    started = time.monotonic()
    if console.is_terminal:
        with console.status(f"{what} …"):
            yield
    else:
        # Where nothing can be drawn over, a line at the start tells at least what takes its time.
        console.print(f"… {what}", highlight=False)
        yield
    console.print(f"✔ {what} [dim]{time.monotonic() - started:.1f} s[/dim]", highlight=False)


def _try_all(console: Console, stack: Stack) -> list[Outcome]:
    with _step(console, "Calling them"):
        minted = tokens(stack.issuer)
        return [attempt(what, minted[what.token], stack.main.client, stack.main.log) for what in attempts()]


def _show(console: Console, outcomes: list[Outcome]) -> int:
    """Print the table; give the number of attempts that did not come out as they should."""
    if not console.is_terminal:
        console.width = max(console.width, 140)
    console.print()
    console.print(results_table(outcomes))
    for note in footnotes(outcomes):
        console.print(note, style="dim", highlight=False)
    for problem in problems(outcomes):
        console.print(problem, style="red", highlight=False, markup=False)
    failures = sum(1 for outcome in outcomes if outcome.problems)
    if failures:
        console.print(f"{failures} of {len(outcomes)} are not as they should be.", style="bold red")
    else:
        console.print(f"All {len(outcomes)} as they should be.", style="green")
    return failures


def lines_to_try(stack: Stack) -> str:
    """Return shell lines that call the APIs with a token that is good for an hour.

    Curl stays connected to a WebSocket and prints nothing. So the last line prints the status alone, which is 101
    for a connection.
    """
    client = stack.main.client
    return f"""\
TOKEN=$(curl -s {stack.issuer.token_url} -H 'Accept: application/jwt' -d grant_type=client_credentials \\
  -d client_id=me -d subject=bob -d audience={AUDIENCE} -d scope={SCOPE} -d lifetime=3600)

curl -i -H "Authorization: Bearer $TOKEN" {client.url(Api.REST, "/orders")}
curl -i -H "Authorization: Bearer $TOKEN" {client.url(Api.REST, "/orders/7")}
curl -i -H "Authorization: Bearer $TOKEN" {client.url(Api.HTTP, "/orders")}
curl -s -o /dev/null -w 'WebSocket: %{{http_code}}\\n' --max-time 2 -H "Authorization: Bearer $TOKEN" \\
  -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \\
  -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' {client.url(Api.WEBSOCKET, "").replace("ws:", "http:")} || true
"""


def _stay(console: Console, stack: Stack) -> None:
    """Print what to try, and the authorizer's decisions as they come, until interrupted."""
    issuer = stack.issuer
    console.print(
        f"""
Try it yourself:

{textwrap.indent(lines_to_try(stack), "  ")}
Add -d defect=expired (or forged, wrong-audience, …) to the first for a token that is wrong in one way.
The issuer's keys: {issuer.jwks_url}    Ctrl-C ends all of it.

The authorizer's decisions as they come:""",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    stack.main.log.new()
    while True:
        for line in stack.main.log.new():
            told = " ".join(str(line[name]) for name in ("decision", "reason", "route", "principal") if line.get(name))
            console.print(f"  {line['event_kind']}: {told}", highlight=False, markup=False)
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
