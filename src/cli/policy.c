/*
 * cli/policy.c - weir policy test: does the policy say what its keepers expect of it
 */
#include "base/file.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/open.h"
#include "policy/cases.h"

#include <glob.h>
#include <stdio.h>

extern const struct command command_policy;

struct testing {
    struct snapshot *snapshot;
    struct str file; /* the one that is read */
    size_t n_cases, n_asked, n_missed;
    struct report report;
};

static void tell_miss(void *with, const struct case_miss *miss) {
    const struct testing *t = with;
    printf(STR_FMT ":%u: " STR_FMT "\n    " STR_FMT "\n    wanted  " STR_FMT
                   "\n    got     " STR_FMT "\n",
           STR_ARG(t->file), miss->line, STR_ARG(miss->name), STR_ARG(miss->asked),
           STR_ARG(miss->wanted), STR_ARG(miss->got));
}

/* The files of a case would be another policy than the one that is tested. */
static result ask_case(struct testing *t, const struct policy_case *c, struct arena *arena) {
    enum case_title brought = policy_case_files(c);
    if (brought != CASE_TITLES)
        return fail(&t->report, FAIL_INPUT, "CASE_INVALID", REPORT_NO_OFFSET,
                    "line %u: the policy is the configuration's, so that there can be no "
                    "section '" STR_FMT "'",
                    c->sections[brought].line - 1, STR_ARG(policy_case_title(brought)));
    struct case_asker asker = {.policy = t->snapshot->policy,
                               .identity = t->snapshot->identity,
                               .missed = tell_miss,
                               .with = t};
    TRY(policy_case_ask(c, &asker, arena, &t->report));
    t->n_cases++;
    t->n_asked += asker.n_asked;
    t->n_missed += asker.n_missed;
    return OK;
}

static result ask_cases(struct testing *t, struct str read, struct arena *arena) {
    struct case_text text = {read, 0};
    struct policy_case c;
    for (bool is_there = true; is_there; arena_reset(arena)) {
        TRY(policy_case_next(&text, &c, &is_there, &t->report));
        if (is_there) TRY(ask_case(t, &c, arena));
    }
    return OK;
}

static bool test_file(struct testing *t, const char *path) {
    struct arena of_file, of_case;
    struct str text;
    arena_init(&of_file, 2 * YAML_BYTES_MAX);
    arena_init(&of_case, CALL_ARENA_BYTES);
    t->file = str_of(path);
    report_clear(&t->report);
    result r = file_read(path, YAML_BYTES_MAX, &of_file, &text, &t->report);
    bool is_read = r.why == FAIL_NONE;
    if (is_read) r = ask_cases(t, text, &of_case);
    arena_deinit(&of_case);
    arena_deinit(&of_file);
    if (r.why == FAIL_NONE) return true;
    fprintf(stderr, "weir: %s%s%s\n", is_read ? path : "", is_read ? ": " : "", t->report.sentence);
    return false;
}

/* Without files: those that lie in the configuration, in order of name. */
static bool test_directory(struct testing *t, struct str dir) {
    struct arena arena;
    glob_t found = {0};
    bool is_well = true;
    arena_init(&arena, 64 * KIB);
    const char *pattern =
        str_cstr(&arena, str_printf(&arena, STR_FMT "/policy/*.case", STR_ARG(dir)));
    if (pattern != NULL && glob(pattern, 0, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            is_well = test_file(t, found.gl_pathv[i]) && is_well;
    globfree(&found);
    arena_deinit(&arena);
    return is_well;
}

static bool test_files(struct testing *t, const struct str *files, size_t n) {
    bool is_well = true;
    for (size_t i = 0; i < n; i++) is_well = test_file(t, files[i].ptr) && is_well;
    return is_well;
}

/* What asks nothing shows nothing: a wrong directory must not look like success. */
static int tell_outcome(const struct testing *t, bool is_well) {
    struct str version = policy_version(t->snapshot->policy);
    if (is_well && t->n_asked == 0) fputs("weir: there is no case that asks anything\n", stderr);
    if (!is_well || t->n_asked == 0) return EXIT_WRONG;
    printf("%s: %zu of %zu answers of %zu cases as wanted, policy " STR_FMT "\n",
           t->n_missed == 0 ? "ok" : "wrong", t->n_asked - t->n_missed, t->n_asked, t->n_cases,
           STR_ARG(version));
    return t->n_missed == 0 ? EXIT_DONE : EXIT_WRONG;
}

static int test(struct str dir, const struct str *files, size_t n) {
    struct testing t = {0};
    if (!cli_load(dir, &t.snapshot)) return EXIT_WRONG;
    bool is_well = n > 0 ? test_files(&t, files, n) : test_directory(&t, dir);
    int status = tell_outcome(&t, is_well);
    snapshot_unref(t.snapshot);
    return status;
}

static int run(int argc, char **argv) {
    struct str dir = STR("./config"), rest[64];
    size_t n;
    struct flag flags[] = {
        {"config", "DIR", &dir, NULL, NULL, "the configuration directory"},
        {0},
    };
    if (!flags_read(flags, argc, argv, rest, COUNT(rest), &n)) return EXIT_USAGE;
    if (n == 0 || !str_eq(rest[0], STR("test")))
        return tell_usage(&command_policy, "'test' is expected");
    return test(dir, rest + 1, n - 1);
}

const struct command command_policy = {
    "policy", "ask the policy what your cases ask; status 1 if an answer is another",
    "test [--config DIR] [FILE.case …]", run};
