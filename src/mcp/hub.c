#include "mcp/hub.h"

#include "base/fault.h"
#include "base/limits.h"

#include <stdlib.h>

#define SUBSCRIPTION_ID "io.modelcontextprotocol/subscriptionId"

void hub_init(struct hub *hub) {
    pthread_mutex_init(&hub->lock, NULL);
    list_init(&hub->all);
    hub->n = hub->n_sessions = 0;
    hub->ended = NULL;
}

void hub_deinit(struct hub *hub) {
    pthread_mutex_destroy(&hub->lock);
}

static size_t look_at(struct hub *hub, const size_t *number) {
    pthread_mutex_lock(&hub->lock);
    size_t n = *number;
    pthread_mutex_unlock(&hub->lock);
    return n;
}

size_t hub_count(struct hub *hub) {
    return look_at(hub, &hub->n);
}

size_t hub_count_sessions(struct hub *hub) {
    return look_at(hub, &hub->n_sessions);
}

enum { CLOSED = CHANGED_ALL + 1 }; /* pending beside CHANGED_*: its session */

struct note {
    struct note *next;
    const char *method; /* NULL: `members` is the whole message */
    size_t len;
    char members[];
};

/* -- joining and leaving ---------------------------------------------------------------------- */

/* One allocation: the list, and behind it the texts. false: no memory. */
static bool copy_watched(const struct json *from, struct str **out, size_t *n) {
    size_t bytes = 0;
    *out = NULL;
    *n = from == NULL ? 0 : from->n;
    if (*n == 0) return true;
    for (size_t i = 0; i < *n; i++) bytes += sizeof(struct str) + from->items[i].text.len;
    struct str *list = fault_now() ? NULL : malloc(bytes);
    if (list == NULL) return false;
    char *at = (char *)(list + *n);
    for (size_t i = 0; i < *n; i++) {
        struct str text = from->items[i].text;
        if (text.len > 0) memcpy(at, text.ptr, text.len);
        list[i] = (struct str){at, text.len};
        at += text.len;
    }
    *out = list;
    return true;
}

static struct str copy_name(char **at, struct str name) {
    struct str copy = {*at, name.len};
    if (name.len > 0) memcpy(*at, name.ptr, name.len);
    *at += name.len;
    return copy;
}

static bool copy_names(struct subscriber *s, const struct subscription *what) {
    size_t len = what->id.len + what->session_id.len + what->holder.len;
    char *at = fault_now() ? NULL : malloc(len + 1);
    if (at == NULL) return false;
    s->names = at;
    s->id = copy_name(&at, what->id);
    s->session_id = copy_name(&at, what->session_id);
    s->holder = copy_name(&at, what->holder);
    return true;
}

static void release(struct subscriber *s) {
    for (struct note *note = s->notes, *next; note != NULL; note = next) {
        next = note->next;
        free(note);
    }
    free(s->names);
    free(s->watched);
    s->notes = NULL;
    s->names = NULL;
    s->watched = NULL;
}

bool hub_join(struct hub *hub, struct subscriber *s, const struct subscription *what,
              const struct carrier *carrier) {
    s->carrier = carrier;
    s->wants = what->wants;
    s->is_session = what->is_session;
    bool is_whole = copy_names(s, what) && copy_watched(what->watched, &s->watched, &s->n_watched);
    pthread_mutex_lock(&hub->lock);
    bool has_joined = is_whole && hub->n < HUB_SUBSCRIBERS_MAX;
    if (has_joined) {
        list_add_last(&hub->all, &s->link);
        hub->n++;
        if (s->session_id.len > 0) hub->n_sessions++;
    }
    pthread_mutex_unlock(&hub->lock);
    if (!has_joined) release(s);
    return has_joined;
}

void hub_leave(struct hub *hub, struct subscriber *s) {
    pthread_mutex_lock(&hub->lock);
    bool was_there = link_joined(&s->link);
    if (was_there) hub->n--;
    if (was_there && s->session_id.len > 0) hub->n_sessions--;
    list_leave(&s->link);
    pthread_mutex_unlock(&hub->lock);
    if (was_there && s->is_session && hub->ended != NULL) hub->ended(hub->with, s->session_id);
    release(s);
}

/* -- changes ---------------------------------------------------------------------------------- */

/* Under the lock. Whoever has something pending is awake already. */
static void wake(struct subscriber *s, unsigned what) {
    bool was_asleep = s->pending == 0 && s->notes == NULL;
    s->pending |= what;
    if (was_asleep && (s->pending != 0 || s->notes != NULL)) s->carrier->wake(s);
}

void hub_changed(struct hub *hub, unsigned what) {
    pthread_mutex_lock(&hub->lock);
    for (struct link *at = hub->all.next; at != &hub->all; at = at->next) {
        struct subscriber *s = holder_of(at, struct subscriber, link);
        wake(s, what & s->wants);
    }
    pthread_mutex_unlock(&hub->lock);
}

static bool watches(const struct subscriber *s, struct str name) {
    for (size_t i = 0; i < s->n_watched; i++)
        if (str_eq(s->watched[i], name)) return true;
    return false;
}

static void add_note(struct subscriber *s, const char *method, struct str members) {
    struct note *note = fault_now() ? NULL : malloc(sizeof *note + members.len);
    struct note **end = &s->notes;
    if (note == NULL) return;
    *note = (struct note){.method = method, .len = members.len};
    memcpy(note->members, members.ptr, members.len);
    while (*end != NULL) end = &(*end)->next;
    bool was_asleep = s->pending == 0 && s->notes == NULL;
    *end = note;
    if (was_asleep) s->carrier->wake(s);
}

void hub_note(struct hub *hub, struct str name, struct str holder, const char *method,
              struct str members) {
    pthread_mutex_lock(&hub->lock);
    for (struct link *at = hub->all.next; at != &hub->all; at = at->next) {
        struct subscriber *s = holder_of(at, struct subscriber, link);
        if (s->id.len > 0 && str_eq(s->holder, holder) && watches(s, name))
            add_note(s, method, members);
    }
    pthread_mutex_unlock(&hub->lock);
}

/* -- legacy sessions -------------------------------------------------------------------------- */

/* Under the lock. NULL: it has no stream here. */
static struct subscriber *of_session(struct hub *hub, struct str session_id) {
    for (struct link *at = hub->all.next; at != &hub->all; at = at->next) {
        struct subscriber *s = holder_of(at, struct subscriber, link);
        if (s->session_id.len > 0 && str_eq(s->session_id, session_id)) return s;
    }
    return NULL;
}

void hub_post(struct hub *hub, struct str session_id, struct str json) {
    pthread_mutex_lock(&hub->lock);
    struct subscriber *s = of_session(hub, session_id);
    if (s != NULL) add_note(s, NULL, json);
    pthread_mutex_unlock(&hub->lock);
}

void hub_close(struct hub *hub, struct str session_id) {
    pthread_mutex_lock(&hub->lock);
    for (struct link *at = hub->all.next; at != &hub->all; at = at->next) {
        struct subscriber *s = holder_of(at, struct subscriber, link);
        if (s->session_id.len > 0 && str_eq(s->session_id, session_id)) wake(s, CLOSED);
    }
    pthread_mutex_unlock(&hub->lock);
}

bool hub_has(struct hub *hub, struct str session_id) {
    pthread_mutex_lock(&hub->lock);
    bool has = of_session(hub, session_id) != NULL;
    pthread_mutex_unlock(&hub->lock);
    return has;
}

bool hub_sessions(struct hub *hub, struct arena *arena, struct str **ids, size_t *n) {
    pthread_mutex_lock(&hub->lock);
    struct str *list = arena_new_array(arena, hub->n + 1, struct str);
    *n = 0;
    for (struct link *at = hub->all.next; list != NULL && at != &hub->all; at = at->next) {
        const struct subscriber *s = holder_of(at, struct subscriber, link);
        if (s->session_id.len > 0) list[(*n)++] = str_dup(arena, s->session_id);
    }
    pthread_mutex_unlock(&hub->lock);
    *ids = list;
    return list != NULL;
}

void hub_watch(struct hub *hub, struct str session_id, const struct json *watched) {
    pthread_mutex_lock(&hub->lock);
    for (struct link *at = hub->all.next; at != &hub->all; at = at->next) {
        struct subscriber *s = holder_of(at, struct subscriber, link);
        struct str *list;
        size_t n;
        if (!str_eq(s->session_id, session_id) || !copy_watched(watched, &list, &n)) continue;
        free(s->watched);
        s->watched = list;
        s->n_watched = n;
    }
    pthread_mutex_unlock(&hub->lock);
}

/* -- telling ---------------------------------------------------------------------------------- */

/* Ids of tasks are none. */
static bool is_uri(struct str name) {
    return str_find(name, STR("://")) < name.len;
}

static void open_message(struct json_writer *w, struct buf *buf, const struct subscriber *s,
                         const char *method) {
    buf_init(buf, SUBSCRIBER_MESSAGE_BYTES_MAX);
    json_writer_init(w, buf);
    json_object(w);
    json_put_text(w, STR("jsonrpc"), STR("2.0"));
    json_put_text(w, STR("method"), str_of(method));
    json_key(w, STR("params"));
    json_object(w);
    if (s->id.len == 0) return;
    json_key(w, STR("_meta"));
    json_object(w);
    json_key(w, STR(SUBSCRIPTION_ID));
    json_raw_value(w, s->id);
    json_object_end(w);
}

static void send_buf(struct subscriber *s, struct buf *buf) {
    struct arena arena;
    arena_init(&arena, SUBSCRIBER_MESSAGE_BYTES_MAX);
    struct str json = buf_flat(buf, &arena);
    if (buf_failed(buf, NULL).why == FAIL_NONE && json.ptr != NULL) s->carrier->send(s, json);
    arena_deinit(&arena);
    buf_deinit(buf);
}

static void close_message(struct json_writer *w, struct buf *buf, struct subscriber *s) {
    json_object_end(w);
    json_object_end(w);
    send_buf(s, buf);
}

static void tell(struct subscriber *s, const char *method, struct str uri) {
    struct buf buf;
    struct json_writer w;
    open_message(&w, &buf, s, method);
    if (uri.len > 0) json_put_text(&w, STR("uri"), uri);
    close_message(&w, &buf, s);
}

static void tell_note(struct subscriber *s, const struct note *note) {
    struct str text = {note->members, note->len};
    struct buf buf;
    struct json_writer w;
    if (note->method == NULL) {
        s->carrier->send(s, text);
        return;
    }
    open_message(&w, &buf, s, note->method);
    buf_add_byte(&buf, ',');
    buf_add(&buf, text);
    close_message(&w, &buf, s);
}

static void tell_notes(struct subscriber *s, struct note *note) {
    for (struct note *next; note != NULL; note = next) {
        next = note->next;
        tell_note(s, note);
        free(note);
    }
}

/* The URIs are looked at one by one: another thread may change what is watched. */
static bool nth_watched(struct hub *hub, struct subscriber *s, size_t i, struct arena *arena,
                        struct str *out) {
    pthread_mutex_lock(&hub->lock);
    bool is_there = i < s->n_watched;
    *out = is_there ? str_dup(arena, s->watched[i]) : STR_NONE;
    pthread_mutex_unlock(&hub->lock);
    return is_there;
}

static void tell_watched(struct hub *hub, struct subscriber *s) {
    struct str uri;
    struct arena arena;
    arena_init(&arena, SUBSCRIBER_MESSAGE_BYTES_MAX);
    for (size_t i = 0; nth_watched(hub, s, i, &arena, &uri); i++)
        if (is_uri(uri)) tell(s, "notifications/resources/updated", uri);
    arena_deinit(&arena);
}

bool subscriber_tell(struct hub *hub, struct subscriber *s) {
    pthread_mutex_lock(&hub->lock);
    unsigned pending = s->pending;
    struct note *notes = s->notes;
    s->pending = 0;
    s->notes = NULL;
    pthread_mutex_unlock(&hub->lock);
    if (pending & CHANGED_TOOLS) tell(s, "notifications/tools/list_changed", STR_NONE);
    if (pending & CHANGED_PROMPTS) tell(s, "notifications/prompts/list_changed", STR_NONE);
    if (pending & CHANGED_RESOURCES) tell(s, "notifications/resources/list_changed", STR_NONE);
    if (pending & CHANGED_WATCHED) tell_watched(hub, s);
    tell_notes(s, notes);
    return (pending & CLOSED) == 0;
}

static void put_watched(const struct subscriber *s, const char *key, bool uris,
                        struct json_writer *w) {
    bool any = false;
    for (size_t i = 0; i < s->n_watched; i++) any = any || is_uri(s->watched[i]) == uris;
    if (!any) return;
    json_key(w, str_of(key));
    json_array(w);
    for (size_t i = 0; i < s->n_watched; i++)
        if (is_uri(s->watched[i]) == uris) json_text(w, s->watched[i]);
    json_array_end(w);
}

void subscriber_acknowledge(struct subscriber *s) {
    struct buf buf;
    struct json_writer w;
    open_message(&w, &buf, s, "notifications/subscriptions/acknowledged");
    json_key(&w, STR("notifications"));
    json_object(&w);
    if (s->wants & CHANGED_TOOLS) json_put_bool(&w, STR("toolsListChanged"), true);
    if (s->wants & CHANGED_PROMPTS) json_put_bool(&w, STR("promptsListChanged"), true);
    if (s->wants & CHANGED_RESOURCES) json_put_bool(&w, STR("resourcesListChanged"), true);
    put_watched(s, "resourceSubscriptions", true, &w);
    put_watched(s, "taskIds", false, &w);
    json_object_end(&w);
    close_message(&w, &buf, s);
}

void subscriber_farewell(struct subscriber *s) {
    struct buf buf;
    if (s->id.len == 0) return;
    buf_init(&buf, SUBSCRIBER_MESSAGE_BYTES_MAX);
    buf_add(&buf, STR("{\"jsonrpc\":\"2.0\",\"id\":"));
    buf_add(&buf, s->id);
    buf_add(&buf,
            STR(",\"result\":{\"resultType\":\"complete\",\"_meta\":{\"" SUBSCRIPTION_ID "\":"));
    buf_add(&buf, s->id);
    buf_add(&buf, STR("}}}"));
    send_buf(s, &buf);
}
