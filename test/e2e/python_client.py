"""The official Python SDK, over HTTP and over stdio, in both eras of the protocol.

Lists the tools, runs one governed query as two people, and sees that they get different rows.

usage: python_client.py URL BINARY CONFIG
"""

import asyncio
import os
import sys
import tempfile

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

TOOLS = ["list_allowed_tables", "describe_table", "preview_table", "run_select_sql"]
BY_REGION = (
    "SELECT region_code, count(*) AS n FROM saky_dw_ods.ods_sap_delivery_order_details_df "
    "WHERE pt = '20260505' GROUP BY region_code ORDER BY region_code LIMIT 20"
)


async def offers(client):
    resources = (await client.list_resources()).resources
    assert str(resources[0].uri) == "weir://catalog" and len(resources) == 10, resources
    read = await client.read_resource(str(resources[1].uri))
    assert '"columns"' in read.contents[0].text, read
    prompt = await client.get_prompt("explore_domain", {"domain": "product"})
    assert "saky_dw_cdm.dim_pub_product_df" in prompt.messages[0].content.text, prompt


async def regions(transport, mode):
    async with Client(transport, mode=mode) as client:
        listed = await client.list_tools()
        names = [tool.name for tool in listed.tools]
        assert names == TOOLS, names
        await offers(client)
        result = await client.call_tool("run_select_sql", {"sql": BY_REGION})
        answer = result.structured_content
        assert answer["ok"] and not result.is_error, answer
        return answer["data"]["rows"]


async def two_people(transport_of, mode):
    everything = await regions(transport_of("demo-analyst"), mode)
    south = await regions(transport_of("demo-manager"), mode)
    assert len(everything) == 7, everything
    assert south == [["华南", 163]], south


def over_http(url):
    def transport(token):
        http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"})
        return streamable_http_client(url + "/mcp", http_client=http)

    return transport


def over_stdio(binary, config, work):
    def transport(token):
        env = dict(os.environ, WEIR_TOKEN=token, LOGS_DIRECTORY=work + "/logs", STATE_DIRECTORY=work + "/state")
        args = ["serve", "--config", config, "--transport", "stdio"]
        return stdio_client(StdioServerParameters(command=binary, args=args, env=env), errlog=open(os.devnull, "w"))

    return transport


async def main(url, binary, config):
    with tempfile.TemporaryDirectory() as work:
        for mode in ("auto", "legacy"):
            await two_people(over_http(url), mode)
            print(f"ok http {mode}")
            await two_people(over_stdio(binary, config, work), mode)
            print(f"ok stdio {mode}")


asyncio.run(main(*sys.argv[1:]))
