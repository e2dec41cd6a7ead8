#include "mcp/mcp.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/log.h"
#include "mcp/turn.h"
#include "tools/tool.h"

#include <stdatomic.h>
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

static bool open_entry(struct mcp *mcp) {
    mcp->entry_kind = (struct pool_class){"entry", ENTRY_THREADS, ENTRY_QUEUE_MAX};
    mcp->entry = pool_new(&mcp->entry_kind, at_desk, mcp);
    return mcp->entry != NULL;
}

static bool open_desk(struct mcp *mcp) {
    mcp->desk_kind = (struct pool_class){"desk", DESK_THREADS, DESK_QUEUE_MAX};
    mcp->desk = pool_new(&mcp->desk_kind, at_desk, mcp);
    return mcp->desk != NULL;
}

/* -- what happens here and elsewhere ---------------------------------------------------------- */

/* What a legacy session watches may have been changed by way of another replica, and so may it have
 * ended. */
static void refresh_watched(struct mcp *mcp) {
    struct arena arena;
    struct str *ids;
    const struct json *watched;
    size_t n;
    arena_init(&arena, SUBSCRIBERS_ARENA_BYTES);
    bool is_whole = hub_sessions(&mcp->hub, &arena, &ids, &n);
    for (size_t i = 0; is_whole && i < n; i++) {
        if (!session_is_there(mcp->store, ids[i], &arena, &watched)) hub_close(&mcp->hub, ids[i]);
        if (watched != NULL) hub_watch(&mcp->hub, ids[i], watched);
    }
    arena_deinit(&arena);
}

static void changed_here(struct mcp *mcp, unsigned what) {
    if ((what & CHANGED_WATCHED) && mcp->store != NULL) refresh_watched(mcp);
    hub_changed(&mcp->hub, what);
}

/* Of another replica. */
static void learn(void *with, const struct news_item *item) {
    struct mcp *mcp = with;
    switch (item->kind) {
    case NEWS_MISSED: changed_here(mcp, CHANGED_ALL); return;
    case NEWS_CHANGED: changed_here(mcp, item->changed & CHANGED_ALL); return;
    case NEWS_CLOSED: hub_close(&mcp->hub, item->session_id); return;
    case NEWS_CANCELLED:
        (void)running_cancel(&mcp->running, item->session_id, item->request_id);
        return;
    }
}

void mcp_changed(struct mcp *mcp, unsigned what) {
    struct news_item item = {.kind = NEWS_CHANGED, .changed = what};
    struct report report = {0};
    changed_here(mcp, what);
    if (news_tell(&mcp->news, &item, &report).why != FAIL_NONE)
        log_line(LOG_WARN, "news_not_told", STR_NONE, "%s", report.sentence);
}

result mcp_cancel(struct mcp *mcp, struct str session_id, struct str request_id,
                  struct report *report) {
    struct news_item item = {
        .kind = NEWS_CANCELLED, .session_id = session_id, .request_id = request_id};
    if (running_cancel(&mcp->running, session_id, request_id)) return OK;
    return news_tell(&mcp->news, &item, report);
}

result mcp_close_session(struct mcp *mcp, const struct session *session, struct arena *arena,
                         struct report *report) {
    struct news_item item = {.kind = NEWS_CLOSED, .session_id = session->id};
    TRY(session_close(mcp->store, session, arena, report));
    hub_close(&mcp->hub, session->id);
    return news_tell(&mcp->news, &item, report);
}

/* At the desk. Its stream was the session, so that no other replica knows of it. */
static void forget_session(struct turn *turn) {
    struct session session = {.id = turn->call->origin.session_id};
    struct report report = {0};
    result r = session_close(turn->mcp->store, &session, &turn->call->arena, &report);
    if (r.why != FAIL_NONE)
        log_line(LOG_WARN, "session_not_ended", STR_NONE, "%s", report.sentence);
    turn_free(turn);
}

void mcp_forget_session(struct mcp *mcp, struct str session_id) {
    struct turn *turn = turn_new(mcp, turn_free, NULL);
    if (turn == NULL) return;
    turn->call->origin.session_id = str_dup(&turn->call->arena, session_id);
    if (turn->call->origin.session_id.ptr == NULL)
        turn_free(turn);
    else
        turn_at_desk(turn, forget_session);
}

static void stream_ended(void *with, struct str session_id) {
    mcp_forget_session(with, session_id);
}

/* -- its life --------------------------------------------------------------------------------- */

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
    mcp->hub.ended = stream_ended;
    mcp->hub.with = mcp;
    result r = journals_open(&mcp->journals, setup->store, report);
    if (r.why == FAIL_NONE && (!open_entry(mcp) || !open_desk(mcp) || !make_texts(mcp)))
        r = fail_memory(report);
    if (r.why == FAIL_NONE) r = news_open(&mcp->news, setup->store, learn, mcp, report);
    if (r.why != FAIL_NONE) {
        mcp_free(mcp);
        return r;
    }
    *out = mcp;
    return OK;
}

void mcp_cancel_all(struct mcp *mcp) {
    running_cancel_all(&mcp->running);
}

void mcp_settle(struct mcp *mcp) {
    atomic_store(&mcp->is_settled, true);
    pool_wait(mcp->entry);
    pool_wait(mcp->desk);
}

void mcp_free(struct mcp *mcp) {
    if (mcp == NULL) return;
    news_close(&mcp->news);
    pool_free(mcp->entry);
    pool_free(mcp->desk);
    journals_close(&mcp->journals);
    hub_deinit(&mcp->hub);
    asking_deinit(&mcp->asking);
    running_list_deinit(&mcp->running);
    arena_deinit(&mcp->arena);
    free(mcp);
}
