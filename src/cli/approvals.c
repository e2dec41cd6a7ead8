/*
 * cli/approvals.c - weir approvals: what waits for another person, and that person's yes or no
 */
#include "base/limits.h"
#include "cli/command.h"
#include "cli/open.h"
#include "road/ruling.h"
#include "shape/text.h"

#include <stdio.h>

extern const struct command command_approvals;

/* What callers wrote is shown with nothing hidden in it. */
static void put_visible(struct buf *out, const struct approval *a) {
    struct buf exact;
    struct json_writer in, w;
    struct arena arena;
    arena_init(&arena, 2 * APPROVAL_BYTES_MAX);
    buf_init(&exact, (size_t)APPROVAL_BYTES_MAX);
    json_writer_init(&in, &exact);
    approval_put(&in, a);
    json_writer_init(&w, out);
    text_write_json(&w, buf_take(&exact, &arena), TEXT_VISIBLE);
    arena_deinit(&arena);
}

static bool print_one(const struct approval *a) {
    struct buf line;
    buf_init(&line, (size_t)(8 * APPROVAL_BYTES_MAX));
    put_visible(&line, a);
    bool is_whole = line.failed == FAIL_NONE && line.len > 0;
    if (is_whole) cli_print(&line);
    buf_deinit(&line);
    return is_whole;
}

static int list(struct snapshot *snapshot, bool shows_all) {
    struct arena arena;
    struct report report = {0};
    struct approval *all;
    size_t n;
    arena_init(&arena, CONFIG_BYTES_MAX);
    result r = approval_list(snapshot->store, &arena, &all, &n, &report);
    for (size_t i = 0; r.why == FAIL_NONE && i < n; i++)
        if ((shows_all || all[i].state == APPROVAL_PENDING) && !print_one(&all[i]))
            r = fail_memory(&report);
    arena_deinit(&arena);
    return r.why == FAIL_NONE ? EXIT_DONE : tell(&report);
}

static int decide(struct house *house, struct snapshot *snapshot, struct ruling *ruling,
                  struct str as) {
    struct arena arena;
    struct report report = {0};
    struct principal approver;
    struct approval approval;
    arena_init(&arena, CONFIG_BYTES_MAX);
    ruling->approver = &approver;
    ruling->method = STR("command line");
    result r = identity_named(snapshot->identity, as, &arena, &approver, &report);
    if (r.why == FAIL_NONE)
        r = ruling_make(house->audit, snapshot, house->clock, ruling, &arena, &approval, &report);
    if (r.why == FAIL_NONE && !print_one(&approval)) r = fail_memory(&report);
    arena_deinit(&arena);
    return r.why == FAIL_NONE ? EXIT_DONE : tell(&report);
}

struct verb {
    struct str name;
    bool decides, is_yes;
};

static const struct verb *verb_find(struct str name) {
    static const struct verb verbs[] = {{STR_INIT("list"), false, false},
                                        {STR_INIT("approve"), true, true},
                                        {STR_INIT("reject"), true, false}};
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (str_eq(verbs[i].name, name)) return &verbs[i];
    return NULL;
}

static int run(int argc, char **argv) {
    struct config_setup setup = {.dir = STR("./config")};
    struct str as = STR_NONE, note = STR_NONE, rest[2];
    bool shows_all = false;
    size_t n;
    struct flag flags[] = {
        {"config", "DIR", &setup.dir, NULL, NULL, "the configuration directory"},
        {"as", "USER", &as, NULL, NULL, "the approver, who has one of the roles of `approvals:`"},
        {"note", "TEXT", &note, NULL, NULL, "for the one who asked"},
        {"all", NULL, NULL, &shows_all, NULL, "also those that were decided on"},
        {0},
    };
    if (!flags_read(flags, argc, argv, rest, COUNT(rest), &n)) return EXIT_USAGE;
    const struct verb *verb = n > 0 ? verb_find(rest[0]) : NULL;
    if (verb == NULL || n != (verb->decides ? 2 : 1))
        return tell_usage(&command_approvals, "'list', 'approve ID' or 'reject ID' is expected");
    if (verb->decides && as.len == 0)
        return tell_usage(&command_approvals, "--as says who decides");
    struct house house = {0};
    if (!cli_open(&house, &setup)) return EXIT_WRONG;
    struct snapshot *snapshot = snapshot_take(house.snapshots);
    struct ruling ruling = {.id = n > 1 ? rest[1] : STR_NONE, .is_yes = verb->is_yes, .note = note};
    int status = verb->decides ? decide(&house, snapshot, &ruling, as) : list(snapshot, shows_all);
    snapshot_unref(snapshot);
    house_close(&house);
    return status;
}

const struct command command_approvals = {
    "approvals", "see and decide on calls that wait for another person",
    "list [--all] [--config DIR]\n"
    "       weir approvals approve|reject ID --as USER [--note TEXT] [--config DIR]",
    run};
