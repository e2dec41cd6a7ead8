/*
 * cli/why.c - weir why: the tree of a past decision
 */
#include "base/limits.h"
#include "cli/command.h"
#include "cli/open.h"
#include "cli/why_tree.h"
#include "shape/text.h"

#include <stdio.h>

extern const struct command command_why;

struct finding {
    struct arena *arena;
    const struct json *record;
    struct str policy_now;
    struct report *report;
    result how;
};

/* What callers wrote is read with nothing hidden in it. Escapes lengthen a text sixfold at most. */
static result read_record(struct finding *f, struct str line) {
    const struct json_limits limits = {.bytes = 8 * AUDIT_LINE_BYTES_MAX,
                                       .string_bytes = 8 * AUDIT_LINE_BYTES_MAX};
    struct json_writer w;
    struct buf buf;
    buf_init(&buf, limits.bytes);
    json_writer_init(&w, &buf);
    text_write_json(&w, line, TEXT_VISIBLE);
    struct str visible = buf_take(&buf, f->arena);
    if (visible.ptr == NULL) return fail_memory(f->report);
    return json_read(visible, &limits, f->arena, &f->record, f->report);
}

static bool see(struct str line, void *with) {
    struct finding *f = with;
    f->how = read_record(f, line);
    return false;
}

static result find(const struct settings *settings, struct str id, struct finding *f) {
    struct audit_query query = {.audit_id = id};
    TRY(audit_search(settings->server.logs_directory, settings->audit.file, &query, see, f,
                     f->report));
    TRY(f->how);
    if (f->record != NULL) return OK;
    fail(f->report, FAIL_ABSENT, "AUDIT_NOT_FOUND", REPORT_NO_OFFSET,
         "no record in '" STR_FMT "' has the id '" STR_FMT "'",
         STR_ARG(settings->server.logs_directory), STR_ARG(utf8_clip(id, 128)));
    fail_hint(f->report, "Answers and `weir audit tail` tell an audit_id; rotated files that "
                         "were deleted are gone");
    return (result){FAIL_ABSENT};
}

/* A configuration that cannot be loaded now is no reason not to tell of then. */
static void learn_policy(struct str dir, struct finding *f) {
    struct config_setup setup = {.dir = dir, .use = CONFIG_SCHEMA_ONLY};
    struct problems unused;
    struct report report = {0};
    struct snapshot *snapshot = NULL;
    const struct settings *settings;
    problems_init(&unused, f->arena);
    if (config_load(&setup, &unused, &snapshot, &settings, &report).why != FAIL_NONE) return;
    f->policy_now = str_dup(f->arena, policy_version(snapshot->policy));
    snapshot_unref(snapshot);
}

static result print(const struct finding *f, bool is_json) {
    struct json_writer w;
    struct buf out;
    buf_init(&out, 16 * AUDIT_LINE_BYTES_MAX);
    json_writer_init(&w, &out);
    if (is_json)
        why_tree_put(f->record, f->policy_now, &w);
    else
        why_tree_print(f->record, f->policy_now, &out);
    result r = buf_failed(&out, f->report);
    if (r.why == FAIL_NONE) cli_print(&out);
    buf_deinit(&out);
    return r;
}

static int tell_why(struct str dir, struct str id, bool is_json) {
    struct arena arena;
    struct report report = {0};
    struct finding f = {.arena = &arena, .report = &report, .how = OK};
    arena_init(&arena, CONFIG_BYTES_MAX);
    const struct settings *settings = cli_settings(dir, &arena);
    result r = settings == NULL ? (result){FAIL_CONFIG} : find(settings, id, &f);
    if (r.why == FAIL_NONE) learn_policy(dir, &f);
    if (r.why == FAIL_NONE) r = print(&f, is_json);
    arena_deinit(&arena);
    if (report.why != FAIL_NONE) return tell(&report);
    return r.why == FAIL_NONE ? EXIT_DONE : EXIT_WRONG;
}

static int run(int argc, char **argv) {
    struct str dir = STR("./config"), rest[2];
    bool is_json = false;
    size_t n;
    struct flag flags[] = {
        {"config", "DIR", &dir, NULL, NULL, "the configuration directory"},
        {"json", NULL, NULL, &is_json, NULL, "one JSON object"},
        {0},
    };
    if (!flags_read(flags, argc, argv, rest, COUNT(rest), &n)) return EXIT_USAGE;
    if (n != 1 || rest[0].len == 0) return tell_usage(&command_why, "one AUDIT_ID is expected");
    return tell_why(dir, rest[0], is_json);
}

const struct command command_why = {"why", "the tree of a past decision, out of the audit log",
                                    "AUDIT_ID [--json] [--config DIR]", run};
