#include "mcp/mcp.h"

#include "base/fault.h"
#include "base/limits.h"
#include "tools/tool.h"

#include <stdlib.h>

static struct str tool_text(const struct tool *tool, bool with_output, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, TOOL_TEXT_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &buf);
    tool_describe(tool, with_output, &w);
    struct str text = str_dup(arena, buf_flat(&buf, arena));
    bool is_whole = buf_failed(&buf, NULL).why == FAIL_NONE && text.len == buf.len;
    buf_deinit(&buf);
    return is_whole ? text : STR_NONE;
}

static bool make_texts(struct mcp *mcp) {
    while (tool_at(mcp->n_tools) != NULL) mcp->n_tools++;
    struct tool_text *texts = arena_new_array(&mcp->arena, mcp->n_tools, struct tool_text);
    if (texts == NULL) return false;
    for (size_t i = 0; i < mcp->n_tools; i++) {
        const struct tool *tool = tool_at(i);
        texts[i] = (struct tool_text){tool, tool_text(tool, true, &mcp->arena),
                                      tool_text(tool, false, &mcp->arena)};
        if (texts[i].with_output.ptr == NULL || texts[i].without_output.ptr == NULL) return false;
    }
    mcp->tools = texts;
    return true;
}

result mcp_new(struct road *road, struct snapshot_holder *snapshots, struct audit *audit,
               const struct clock *clock, struct mcp **out, struct report *report) {
    struct mcp *mcp = fault_now() ? NULL : calloc(1, sizeof *mcp);
    if (mcp == NULL) return fail_memory(report);
    mcp->road = road;
    mcp->snapshots = snapshots;
    mcp->audit = audit;
    mcp->clock = clock;
    arena_init(&mcp->arena, MCP_TEXTS_BYTES_MAX);
    if (!make_texts(mcp)) {
        mcp_free(mcp);
        return fail_memory(report);
    }
    *out = mcp;
    return OK;
}

void mcp_free(struct mcp *mcp) {
    if (mcp == NULL) return;
    arena_deinit(&mcp->arena);
    free(mcp);
}
