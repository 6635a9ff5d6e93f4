"""``python -m demo``: deploy locally, call the APIs, print the results; at a terminal, keep running for you to try."""

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
"""The exit code after Ctrl-C, by the convention of shells."""
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: list[str] | None = None) -> int:
    """Run the demo, and return the exit code: 0 if every result is as expected."""
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="The authorizer in front of three APIs, on this machine."
    )
    parser.add_argument("--once", action="store_true", help="exit after the table, also at a terminal")
    options = parser.parse_args(arguments)
    console = Console()
    stays = console.is_terminal and sys.stdin.isatty() and not options.once and not os.environ.get("CI")
    # All that the demo started is stopped at the end, also after a signal.
    for number in _ENDING:
        signal.signal(number, _interrupt)
    try:
        with running_stack(Tools(), lambda what: _step(console, what)) as stack:
            outcomes = _try_all(console, stack)
            failures = _show(console, outcomes)
            if failures:
                console.print("The end of the authorizer's log:", style="bold")
                console.print(stack.main.log.text()[-3000:], markup=False, highlight=False)
                console.print("The end of the local AWS's log:", style="bold")
                console.print(stack.aws.log.read_text()[-3000:], markup=False, highlight=False)
            if stays:
                # From here on, Ctrl-C is the normal end.
                with contextlib.suppress(KeyboardInterrupt):
                    _stay(console, stack)
                console.print("\nStopping …")
    except DemoError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopped: nothing is left running.")
        return INTERRUPTED
    if stays:
        console.print("Stopped: nothing is left running.")
    return 1 if failures else 0


def _interrupt(*_: object) -> NoReturn:
    # Ignore further signals: a second Ctrl-C must not interrupt the clean-up.
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


@contextlib.contextmanager
def _step(console: Console, what: str) -> Iterator[None]:
    """Show that a step is running, and afterwards how long it took."""
    started = time.monotonic()
    if console.is_terminal:
        with console.status(f"{what} …"):
            yield
    else:
        # Without a terminal, print a line at the start too, so that a log shows what is running.
        console.print(f"… {what}", highlight=False)
        yield
    console.print(f"✔ {what} [dim]{time.monotonic() - started:.1f} s[/dim]", highlight=False)


def _try_all(console: Console, stack: Stack) -> list[Outcome]:
    with _step(console, "Calling them"):
        minted = tokens(stack.issuer)
        return [attempt(what, minted[what.token], stack.main.client, stack.main.log) for what in attempts()]


def _show(console: Console, outcomes: list[Outcome]) -> int:
    """Print the table, and return the number of attempts whose result is not as expected."""
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
        console.print(f"{failures} of {len(outcomes)} are not as expected.", style="bold red")
    else:
        console.print(f"All {len(outcomes)} are as expected.", style="green")
    return failures


def lines_to_try(stack: Stack) -> str:
    """Return shell commands that call the APIs with a token that is valid for an hour.

    For a WebSocket, curl stays connected and prints nothing. So the last command prints only the status, which is 101
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
    """Print commands to try, and then the authorizer's decisions, until interrupted."""
    issuer = stack.issuer
    console.print(
        f"""
Try it yourself:

{textwrap.indent(lines_to_try(stack), "  ")}
Add -d defect=expired (or forged, wrong-audience, …) to the first command for a token with one defect.
The issuer's keys: {issuer.jwks_url}    Stop everything with Ctrl-C.

The authorizer's decisions:""",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    stack.main.log.new()
    while True:
        for line in stack.main.log.new():
            shown = " ".join(str(line[name]) for name in ("decision", "reason", "route", "principal") if line.get(name))
            console.print(f"  {line['event_kind']}: {shown}", highlight=False, markup=False)
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
