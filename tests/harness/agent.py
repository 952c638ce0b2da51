"""An agent: the official MCP client (PyPI `mcp`), starting its server over stdio as every client does."""

import asyncio
import contextlib
import json
import os

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import McpError


@contextlib.asynccontextmanager
async def connect(command, env, cwd=None, log=os.devnull, timeout=60):
    """A ready session with the MCP server that `command` starts; its standard error goes to `log`."""
    with open(log, "ab") as errors:
        parameters = StdioServerParameters(command=str(command[0]), args=[str(a) for a in command[1:]], env=env, cwd=cwd)
        async with stdio_client(parameters, errlog=errors) as (reader, writer):
            async with ClientSession(reader, writer) as session:
                await asyncio.wait_for(session.initialize(), timeout)
                yield session


async def attempt(session, tool, arguments):
    """(was it refused or did it fail, all that the agent is told), for a result and a JSON-RPC error alike."""
    try:
        result = await session.call_tool(tool, arguments)
    except McpError as error:
        return True, str(error)
    return bool(result.isError), text_of(result)


def text_of(result):
    """All text of a tool's result, as a model reads it."""
    return "\n".join(part.text for part in result.content if getattr(part, "text", None) is not None)


def receipt_of(result):
    return (result.meta or {}).get("remit/receipt")


def value_of(result):
    """The JSON that a tool of tests/servers/tools.py answered."""
    assert not result.isError, text_of(result)
    return json.loads(result.content[0].text)


def run(coroutine, seconds=120):
    """Runs a test's coroutine, bounded."""
    return asyncio.run(asyncio.wait_for(coroutine, seconds))
