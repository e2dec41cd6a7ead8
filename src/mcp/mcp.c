#include "mcp/mcp.h"

#include "base/fault.h"
#include "base/limits.h"
#include "mcp/turn.h"
#include "tools/tool.h"

#include <stdlib.h>

static struct str tool_text(const struct tool *tool, bool with_output, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, TOOL_TEXT_BYTES_MAX);
    struct json_writer w;
    json_writer_init(&w, &buf);
    tool_describe(tool, with_output, &w);
    struct str text = buf_copy(&buf, arena);
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

static void at_desk(void *mcp, struct call *call) {
    struct turn *turn = call->owner;
    (void)mcp;
    turn->step(turn);
}

static bool open_desk(struct mcp *mcp) {
    mcp->desk_kind = (struct pool_class){"desk", DESK_THREADS, DESK_QUEUE_MAX};
    mcp->desk = pool_new(&mcp->desk_kind, at_desk, mcp);
    return mcp->desk != NULL;
}

result mcp_new(const struct mcp_setup *setup, struct mcp **out, struct report *report) {
    struct mcp *mcp = fault_now() ? NULL : calloc(1, sizeof *mcp);
    if (mcp == NULL) return fail_memory(report);
    mcp->road = setup->road;
    mcp->snapshots = setup->snapshots;
    mcp->audit = setup->audit;
    mcp->store = setup->store;
    mcp->secret = setup->secret;
    mcp->identities = setup->identities;
    mcp->clock = setup->clock;
    arena_init(&mcp->arena, MCP_TEXTS_BYTES_MAX);
    running_list_init(&mcp->running);
    asking_init(&mcp->asking);
    hub_init(&mcp->hub);
    result r = journals_open(&mcp->journals, setup->store, report);
    if (r.why != FAIL_NONE || !open_desk(mcp) || !make_texts(mcp)) {
        mcp_free(mcp);
        return fail_memory(report);
    }
    *out = mcp;
    return OK;
}

/* What a legacy session watches may have been changed by way of another replica. */
static void refresh_watched(struct mcp *mcp) {
    struct arena arena;
    struct str *ids;
    size_t n;
    arena_init(&arena, SUBSCRIBERS_ARENA_BYTES);
    bool is_whole = hub_sessions(&mcp->hub, &arena, &ids, &n);
    for (size_t i = 0; is_whole && i < n; i++) {
        const struct json *watched = session_watched(mcp->store, ids[i], &arena);
        if (watched != NULL) hub_watch(&mcp->hub, ids[i], watched);
    }
    arena_deinit(&arena);
}

void mcp_changed(struct mcp *mcp, unsigned what) {
    if ((what & CHANGED_WATCHED) && mcp->store != NULL) refresh_watched(mcp);
    hub_changed(&mcp->hub, what);
}

void mcp_settle(struct mcp *mcp) {
    pool_wait(mcp->desk);
}

void mcp_free(struct mcp *mcp) {
    if (mcp == NULL) return;
    pool_free(mcp->desk);
    journals_close(&mcp->journals);
    hub_deinit(&mcp->hub);
    asking_deinit(&mcp->asking);
    running_list_deinit(&mcp->running);
    arena_deinit(&mcp->arena);
    free(mcp);
}
