/*
 * cli/doctor_house.c - weir doctor: who may come, what answers, what is kept, what agents read
 */
#include "cli/doctor.h"

#include "audit/audit.h"
#include "backend/backend.h"
#include "base/limits.h"
#include "call/call.h"
#include "shape/token.h"
#include "tools/tool.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static struct str address_of(const struct patient *patient, const struct listener *listener) {
    return str_printf(patient->arena, STR_FMT ":%lld", STR_ARG(listener->host),
                      (long long)listener->port);
}

/* -- who may come ----------------------------------------------------------------------------- */

static void check_strangers(struct patient *patient) {
    const struct settings *s = patient->settings;
    bool is_open = !s->auth.require_auth || !s->auth.auth_enabled;
    if (is_open)
        doctor_tell(patient, GRADE_WARNING, STR_NONE,
                    "Every program on this machine is let in, those of other users too.",
                    "Set auth.require_auth and give tokens, wherever others have an account.",
                    "nobody has to say who they are");
    if (s->server.welcome_token.len > 0 && !settings_all_loopback(s))
        doctor_tell(
            patient, GRADE_SERIOUS, STR_NONE,
            "It is printed at the start, and everybody who can reach a listener can use it.",
            "Take server.welcome_token out.",
            "a welcome token is set, and a listener is open to other machines");
    if (!settings_all_loopback(s) && !s->gate.allowed_hosts.is_set)
        doctor_tell(
            patient, GRADE_WARNING, STR_NONE,
            "A page in a colleague's browser can reach this server under a name of its own.",
            "List the names it is reached by in security.yaml: allowed_hosts.",
            "requests for any host name are served");
}

void doctor_listeners(struct patient *patient) {
    const struct settings *s = patient->settings;
    size_t before = patient->n[GRADE_WARNING] + patient->n[GRADE_SERIOUS];
    check_strangers(patient);
    if (patient->n[GRADE_WARNING] + patient->n[GRADE_SERIOUS] > before) return;
    for (size_t i = 0; i < s->n_listeners; i++)
        doctor_tell(patient, GRADE_GOOD, address_of(patient, &s->listeners[i]), NULL, NULL,
                    "callers say who they are");
}

/* -- what answers ----------------------------------------------------------------------------- */

enum { READY_MS = 10000, LOOK_MS = 50 };

/* Workers start beside us: what is not ready at once may be a moment later. */
static bool becomes_ready(struct backend *backend, struct str *sentence, struct arena *arena) {
    int64_t until = clock_mono_ns(&clock_real) + READY_MS * INT64_C(1000000);
    for (;;) {
        if (backend_kind_of(backend)->is_ready(backend, sentence, arena)) return true;
        if (clock_mono_ns(&clock_real) >= until) return false;
        nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
    }
}

static void check_backend(struct patient *patient, struct backend *backend) {
    const struct backend_kind *kind = backend_kind_of(backend);
    struct str sentence = STR_NONE;
    if (!kind->can_run)
        doctor_tell(patient, GRADE_NOTE, backend_name(backend),
                    "Statements over its tables are checked, and none is run.", NULL,
                    "of kind %s, which holds a schema only", kind->name);
    else if (!becomes_ready(backend, &sentence, patient->arena))
        doctor_tell(patient, GRADE_SERIOUS, backend_name(backend),
                    "Every query over its tables fails.",
                    "See weir.yaml, backends; the sentence is the backend's own.",
                    "of kind %s, is not ready: " STR_FMT, kind->name, STR_ARG(sentence));
    else
        doctor_tell(patient, GRADE_GOOD, backend_name(backend), NULL, NULL, "of kind %s, is ready",
                    kind->name);
}

void doctor_backends(struct patient *patient) {
    const struct backend_set *set = patient->snapshot->backends;
    struct stat st;
    const char *state = str_cstr(patient->arena, patient->settings->server.state_directory);
    if (backend_set_count(set) == 0)
        doctor_tell(patient, GRADE_WARNING, STR_NONE, "There is nothing that could be asked.",
                    "Name one under backends in weir.yaml.", "there is no backend");
    bool is_there = state != NULL && stat(state, &st) == 0;
    if (!is_there || st.st_uid != geteuid()) {
        doctor_tell(patient, GRADE_NOTE, patient->settings->server.state_directory,
                    "What is made there must belong to the user that serves.",
                    "Run doctor as that user, after a first start, to see them answer.",
                    "no backend was asked: the state directory is %s",
                    is_there ? "another user's" : "not there yet");
        return;
    }
    for (size_t i = 0; i < backend_set_count(set); i++)
        check_backend(patient, backend_set_at(set, i));
}

/* -- what is kept ----------------------------------------------------------------------------- */

#define ROOM_SERIOUS (64 * MIB)
#define ROOM_WARNING (1 * GIB)

static void check_room(struct patient *patient, struct str path, const char *what) {
    struct statvfs vfs;
    const char *name = str_cstr(patient->arena, path);
    if (name == NULL || statvfs(name, &vfs) != 0) return;
    int64_t room = (int64_t)(vfs.f_bavail * vfs.f_frsize);
    if (room < ROOM_WARNING)
        doctor_tell(patient, room < ROOM_SERIOUS ? GRADE_SERIOUS : GRADE_WARNING, path,
                    "When it is full nothing is answered, for nothing could be recorded.",
                    "Make room, or set audit.keep_days.", "%lld MiB are left for %s",
                    (long long)(room / MIB), what);
    else
        doctor_tell(patient, GRADE_GOOD, path, NULL, NULL, "%lld GiB are left for %s",
                    (long long)(room / GIB), what);
}

void doctor_audit(struct patient *patient) {
    struct str logs = patient->settings->server.logs_directory;
    bool is_there;
    if (!doctor_directory(patient, logs, "the audit log", &is_there)) return;
    if (is_there)
        check_room(patient, logs, "the audit log");
    else
        doctor_tell(patient, GRADE_NOTE, logs, "A first start makes it.", NULL,
                    "there is no audit log yet");
}

/* Opened only where it is: a file of another user's making would lock the server out. */
void doctor_store(struct patient *patient) {
    const struct settings *s = patient->settings;
    struct str state = s->server.state_directory, sentence = STR_NONE;
    struct report report = {0};
    struct store *store = NULL;
    bool is_there;
    if (!doctor_directory(patient, state, "the store", &is_there)) return;
    enum store_kind_id kind = store_kind_of(&s->store);
    struct str path = kind == STORE_REDIS ? STR("Redis")
                      : str_starts(s->store.path, STR("/"))
                          ? s->store.path
                          : str_printf(patient->arena, STR_FMT "/" STR_FMT, STR_ARG(state),
                                       STR_ARG(s->store.path));
    const char *name = str_cstr(patient->arena, path);
    if (kind == STORE_SQLITE && (name == NULL || access(name, F_OK) != 0)) {
        doctor_tell(patient, GRADE_NOTE, path, "A first start makes it.", NULL,
                    "there is no store yet");
        return;
    }
    if (kind == STORE_MEMORY)
        doctor_tell(patient, GRADE_NOTE, STR_NONE,
                    "Sessions end with the process, and replicas share nothing.",
                    "Set store.kind: sqlite where that matters.", "the store is in memory");
    else if (store_open(&s->store, state, &clock_real, &store, &report).why != FAIL_NONE)
        doctor_tell(patient, GRADE_SERIOUS, path, "A server does not start without its store.",
                    kind == STORE_REDIS
                        ? "See the sentence: the address, the password, or Redis itself."
                        : "Give it to the user that serves; a damaged one can be moved away: it "
                          "holds sessions, no records.",
                    "%s", report.sentence);
    else if (!store_is_ready(store, &sentence, patient->arena))
        doctor_tell(patient, GRADE_SERIOUS, path, "Sessions and counters cannot be kept.",
                    "See the sentence; raise store.max_bytes where it is full.", STR_FMT,
                    STR_ARG(sentence));
    else
        doctor_tell(patient, GRADE_GOOD, path, NULL, NULL, "the store can be read and written");
    store_close(store);
}

/* -- what agents read ------------------------------------------------------------------------- */

struct list_size {
    size_t tools, bytes, tokens;
};

static struct list_size size_of_list(struct call *call, struct arena *arena) {
    struct list_size size = {0};
    const struct tool *tool;
    struct buf out;
    struct json_writer w;
    buf_init(&out, MCP_TEXTS_BYTES_MAX);
    json_writer_init(&w, &out);
    json_object(&w);
    json_key(&w, STR("tools"));
    json_array(&w);
    for (size_t i = 0; (tool = tool_at(i)) != NULL; i++) {
        if (!tool_may_use(call, tool)) continue;
        tool_describe(tool, true, &w);
        size.tools++;
    }
    json_array_end(&w);
    json_object_end(&w);
    struct str text = buf_flat(&out, arena);
    size.bytes = text.len;
    size.tokens = (size_t)token_estimate(text);
    buf_deinit(&out);
    return size;
}

struct looking { /* at the list of one listener */
    struct patient *patient;
    const struct listener *listener;
};

static void tell_size(const struct looking *looking, const char *of, struct str name,
                      struct list_size size) {
    bool is_large = size.bytes > TOOL_LIST_BYTES_ADVISED;
    doctor_tell(looking->patient, is_large ? GRADE_WARNING : GRADE_GOOD,
                address_of(looking->patient, looking->listener),
                is_large ? "Every agent reads it at every turn." : NULL,
                is_large ? "Take toolsets off the listener, or tools off the role." : NULL,
                "%s " STR_FMT ": %zu tools, %zu bytes, about %zu tokens", of, STR_ARG(name),
                size.tools, size.bytes, size.tokens);
}

static void look(const struct looking *looking, const char *of, struct str name, struct str role,
                 const struct name_set *sets) {
    struct call *call = call_new(looking->patient->snapshot, &clock_real);
    if (call == NULL) return;
    call->principal =
        (struct principal){.user_id = STR("doctor"), .roles = &role, .n_roles = role.len > 0};
    call->origin.toolsets = *sets;
    tell_size(looking, of, name, size_of_list(call, looking->patient->arena));
    call_free(call);
}

static struct name_set sets_of(const struct listener *listener) {
    const struct option_list *sets = &listener->toolsets;
    return (struct name_set){sets->items, sets->n, sets->is_set};
}

static void look_as(struct str role, void *with) {
    const struct looking *looking = with;
    struct name_set sets = sets_of(looking->listener);
    look(looking, "role", role, role, &sets);
}

static void look_at_each(const struct looking *looking) {
    struct name_set sets = sets_of(looking->listener);
    for (const struct toolset *const *set = toolsets; *set != NULL; set++) {
        struct str name = str_of((*set)->name);
        struct name_set one = {&name, 1, true};
        if (name_set_has(&sets, name)) look(looking, "toolset", name, STR_NONE, &one);
    }
}

void doctor_tools(struct patient *patient) {
    const struct settings *s = patient->settings;
    for (size_t i = 0; i < s->n_listeners; i++) {
        struct looking looking = {patient, &s->listeners[i]};
        look_at_each(&looking);
        policy_each_role(patient->snapshot->policy, look_as, &looking);
    }
}
