#include "mcp/news.h"

#include "base/limits.h"
#include "base/log.h"
#include "base/rand.h"
#include "text/json.h"

#define NEWS_LOG STR("news")

static const char *const kind_names[] = {[NEWS_MISSED] = "",
                                         [NEWS_CHANGED] = "changed",
                                         [NEWS_CLOSED] = "closed",
                                         [NEWS_CANCELLED] = "cancelled"};

/* -- telling ---------------------------------------------------------------------------------- */

static struct str written(const struct news *news, const struct news_item *item,
                          struct arena *arena) {
    struct buf buf;
    struct json_writer w;
    buf_init(&buf, NEWS_ITEM_BYTES_MAX);
    json_writer_init(&w, &buf);
    json_object(&w);
    json_put_text(&w, STR("by"), str_of(news->name));
    json_put_text(&w, STR("kind"), str_of(kind_names[item->kind]));
    json_put_int(&w, STR("changed"), item->changed);
    json_put_text(&w, STR("session"), item->session_id);
    json_put_text(&w, STR("request"), item->request_id);
    json_object_end(&w);
    return buf_take(&buf, arena);
}

result news_tell(struct news *news, const struct news_item *item, struct report *report) {
    struct arena arena;
    if (news->store == NULL) return OK;
    arena_init(&arena, 4 * NEWS_ITEM_BYTES_MAX);
    struct store_append append = {.log = NEWS_LOG,
                                  .value = written(news, item, &arena),
                                  .ttl_ms = STORE_FOREVER,
                                  .keep = NEWS_KEPT};
    uint64_t unused;
    result r = append.value.ptr == NULL ? fail_memory(report)
                                        : store_append(news->store, &append, &unused, report);
    arena_deinit(&arena);
    return r;
}

/* -- learning --------------------------------------------------------------------------------- */

/* What a replica of another version tells, and we do not know, is none of our news, and so is our
 * own: its kind is then NEWS_MISSED. */
static result read_item(const struct news *news, struct str text, struct arena *arena,
                        struct news_item *out, struct report *report) {
    const struct json *value;
    struct report why = {0};
    *out = (struct news_item){.kind = NEWS_MISSED};
    result r = json_read(text, NULL, arena, &value, &why);
    if (r.why == FAIL_MEMORY) return fail_memory(report);
    if (r.why != FAIL_NONE || json_is_text(json_get(value, STR("by")), str_of(news->name)))
        return OK;
    const struct json *changed = json_get(value, STR("changed"));
    struct str kind = json_get_text(value, STR("kind"));
    out->changed = changed != NULL ? (unsigned)changed->integer : 0;
    out->session_id = json_get_text(value, STR("session"));
    out->request_id = json_get_text(value, STR("request"));
    for (size_t i = NEWS_CHANGED; i < COUNT(kind_names); i++)
        if (str_eq(kind, str_of(kind_names[i]))) out->kind = (enum news_kind)i;
    return OK;
}

/* One reading of the log. *more: there are others behind. */
static result read_some(struct news *news, struct arena *arena, bool *more, struct report *report) {
    struct store_events events;
    struct news_item item;
    TRY(store_read(news->store, NEWS_LOG, news->seen, NEWS_READ_MAX, arena, &events, report));
    bool is_another_log = events.last < news->seen; /* the store was emptied */
    if (is_another_log) news->seen = 0;
    if (is_another_log || (events.n > 0 && events.first > news->seen + 1)) {
        item = (struct news_item){.kind = NEWS_MISSED};
        news->learn(news->with, &item);
    }
    for (size_t i = 0; i < events.n; i++) {
        TRY(read_item(news, events.items[i].value, arena, &item, report));
        if (item.kind != NEWS_MISSED) news->learn(news->with, &item);
        news->seen = events.items[i].sequence;
    }
    *more = is_another_log ? events.last > 0 : events.n > 0 && news->seen < events.last;
    return OK;
}

static result read_all(struct news *news, struct report *report) {
    uint64_t tide;
    bool more;
    TRY(store_tide(news->store, &tide, report));
    if (tide == news->tide) return OK;
    do {
        struct arena arena;
        arena_init(&arena, NEWS_ARENA_BYTES);
        result r = read_some(news, &arena, &more, report);
        arena_deinit(&arena);
        if (r.why != FAIL_NONE) return r;
    } while (more);
    news->tide = tide; /* asked before: what came meanwhile moves it again */
    return OK;
}

void news_look(struct news *news) {
    struct report report = {0};
    if (read_all(news, &report).why != FAIL_NONE)
        log_line(LOG_WARN, "news_not_read", STR_NONE, "%s", report.sentence);
}

static void look(void *news) {
    news_look(news);
}

/* -- its life --------------------------------------------------------------------------------- */

/* What was told before our time is none of ours. */
static result find_the_end(struct news *news, struct report *report) {
    struct arena arena;
    struct store_events events = {0};
    arena_init(&arena, NEWS_ARENA_BYTES);
    result r = store_read(news->store, NEWS_LOG, 0, 1, &arena, &events, report);
    news->seen = events.last;
    arena_deinit(&arena);
    return r;
}

result news_open(struct news *news, struct store *store,
                 void (*learn)(void *with, const struct news_item *item), void *with,
                 struct report *report) {
    *news = (struct news){.store = store, .learn = learn, .with = with};
    rand_hex(news->name, NEWS_NAME_BYTES);
    if (store == NULL) return OK;
    TRY(find_the_end(news, report));
    return beat_start(&news->beat, NEWS_LOOK_MS, look, news, report);
}

void news_close(struct news *news) {
    beat_stop(&news->beat);
}
