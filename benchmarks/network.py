"""A network with a round trip, before an issuer that is on loopback: what users wait for is mostly that."""

from __future__ import annotations

import asyncio
import threading
from typing import Self

_CHUNK = 65_536
_CLIENT_HELLO = b"\x16\x03"
"""How a TLS connection begins (RFC 8446 section 5.1)."""


class Network:
    """Relays connections to a port of this machine, and counts them. ``round_trip`` is in seconds, and may be changed.

    What either side sends arrives half a round trip later. A client believes to be connected at once, as its kernel
    answers; so what it sends in the first round trip leaves only at the end of that.
    """

    def __init__(self, port: int) -> None:
        """Relay to this port, once started."""
        self.round_trip = 0.0
        self.connections = self.handshakes = 0
        self.port = 0
        self._to = port
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        """Listen on a free port."""
        self._server = self._loop.run_until_complete(asyncio.start_server(self._relay, "127.0.0.1", 0))
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and cut what is still connected."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _relay(self, from_client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        connected = self._loop.time() + self.round_trip
        self.connections += 1
        from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
        both = (self._carry(from_client, to_server, connected), self._carry(from_server, to_client, 0.0))
        for each in both:
            task = asyncio.ensure_future(each)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, not_before: float) -> None:
        """Carry one direction. Reading goes on while what was read is under way."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, chunk = await under_way.get()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                if not chunk:
                    writer.close()
                    return
                writer.write(chunk)

        delivering = asyncio.ensure_future(deliver())
        chunk = b"-"
        first = not_before > 0
        try:
            while chunk:
                try:
                    chunk = await reader.read(_CHUNK)
                except ConnectionError:
                    chunk = b""
                if first and chunk.startswith(_CLIENT_HELLO):
                    self.handshakes += 1
                first = False
                under_way.put_nowait((max(self._loop.time(), not_before) + self.round_trip / 2, chunk))
            await delivering
        finally:
            delivering.cancel()
