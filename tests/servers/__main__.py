"""A provider process: writes its port to stdout, ends when its stdin does."""

import asyncio
import sys

from .http import serve
from .provider import Provider


async def main() -> None:
    provider = Provider()
    server = await serve(provider.answer, provider.done)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
