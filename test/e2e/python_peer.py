"""A Python client of the protocol at its daily work: `mcp`, the official SDK, or `fastmcp`.

Says what it has done, a line each, and before what the test does to it: "will be cut", "will cancel",
which it does when it reads a line.

usage: python_peer.py mcp|fastmcp legacy|auto URL SQL ENDLESS_SQL
"""

import asyncio
import sys

TOOLS = ["list_allowed_tables", "describe_table", "preview_table", "run_select_sql"]
QUICK = "SELECT count(*) AS n, sum(n) AS s FROM numbers"
TOKEN = {"Authorization": "Bearer t-ann"}


def official(url, mode):
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    http = httpx2.AsyncClient(headers=TOKEN, timeout=httpx2.Timeout(30, read=300))
    return Client(streamable_http_client(url, http_client=http), mode=mode)


def fast(url, mode):
    from fastmcp import Client
    from fastmcp.client.transports import StreamableHttpTransport

    return Client(StreamableHttpTransport(url, headers=TOKEN), mode=mode)


async def names(client):
    tools = await client.list_tools()
    return [tool.name for tool in getattr(tools, "tools", tools)]


async def rows(client, sql):
    result = await client.call_tool("run_select_sql", {"sql": sql})
    return result.structured_content["data"]["rows"]


async def cancel(client, sql):
    call = asyncio.create_task(rows(client, sql))
    print("will cancel", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    call.cancel()
    try:
        await call
    except asyncio.CancelledError:
        print("cancelled", flush=True)


async def main(kind, mode, url, sql, endless):
    async with {"mcp": official, "fastmcp": fast}[kind](url, mode) as client:
        assert await names(client) == TOOLS
        print("listed", flush=True)
        assert await rows(client, QUICK) == [[2000, 2001000]]
        print("called", flush=True)
        if mode == "legacy":  # the modern era knows no resumption
            print("will be cut", flush=True)
            assert len(await rows(client, sql)) == 1
            print("taken up", flush=True)
        await cancel(client, endless)
        assert await rows(client, QUICK) == [[2000, 2001000]]
        print("called", flush=True)


asyncio.run(main(*sys.argv[1:]))
