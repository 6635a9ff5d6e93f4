"""Simulate a distant issuer: a proxy on loopback that delays each direction by half a round trip.

On loopback ``connect`` returns at once, so the round trip of TCP's handshake is added to the client's first data. Each
chunk is passed on half a round trip after it was read, independent of earlier chunks, so that flights overlap as on a
real connection. Bandwidth, losses and slow start are not modeled: a key set fits into TCP's first window.
"""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

ROUND_TRIPS = (0.0, 0.03, 0.1)
"""Seconds: the same region, the same continent, across an ocean."""
_CHUNK = 65_536
_HANDSHAKE = b"\x16"
"""The first byte of a TLS handshake record (RFC 8446 section 5.1)."""


class DelayProxy:
    """Forwards connections to a port of this machine with a round trip of ``round_trip`` seconds, and counts them."""

    def __init__(self, target: int, round_trip: float) -> None:
        """Set the target port and the round trip."""
        self.port = 0
        self.connections = 0
        self.handshakes = 0
        self._target = target
        self._round_trip = round_trip
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        """Listen on a free port."""
        self._thread.start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening, and close open connections."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        established = self._loop.time() + self._round_trip
        away, there = await asyncio.open_connection("127.0.0.1", self._target)
        self.connections += 1
        try:
            first = await reader.read(_CHUNK)
            self.handshakes += first.startswith(_HANDSHAKE)
            await asyncio.sleep(max(established - self._loop.time(), 0) + self._round_trip / 2)
            there.write(first)
            if first:
                await asyncio.gather(self._pass_on(reader, there), self._pass_on(away, writer))
        except OSError:
            pass  # one side closed the connection, and the other one is closed below
        finally:
            there.close()
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def read() -> None:
            chunk = b"-"
            while chunk:
                try:
                    chunk = await reader.read(_CHUNK)
                except OSError:
                    chunk = b""
                await chunks.put((self._loop.time() + self._round_trip / 2, chunk))

        reading = asyncio.create_task(read())
        try:
            while True:
                due, chunk = await chunks.get()
                await asyncio.sleep(due - self._loop.time())
                if not chunk:
                    writer.close()
                    return
                writer.write(chunk)
        finally:
            reading.cancel()
