/*
 * cli/check.c - weir check: everything that is wrong with a configuration
 */
#include "base/limits.h"
#include "cli/command.h"
#include "house/config.h"

#include <stdio.h>

extern const struct command command_check;

static void print(const struct problems *problems, struct arena *arena) {
    for (size_t i = 0; i < problems->n; i++)
        printf(STR_FMT "\n", STR_ARG(problem_print(&problems->items[i], arena)));
}

static int check(const struct config_setup *setup) {
    struct arena arena;
    struct problems problems;
    struct report report = {0};
    struct snapshot *snapshot = NULL;
    const struct settings *settings;
    arena_init(&arena, CONFIG_PROBLEM_BYTES_MAX);
    problems_init(&problems, &arena);
    result r = config_environment(&report);
    if (r.why == FAIL_NONE) r = config_load(setup, &problems, &snapshot, &settings, &report);
    print(&problems, &arena);
    if (r.why == FAIL_NONE) printf("ok: policy %.*s\n", STR_ARG(policy_version(snapshot->policy)));
    snapshot_unref(snapshot);
    arena_deinit(&arena);
    return r.why == FAIL_NONE ? EXIT_DONE : tell(&report);
}

static int run(int argc, char **argv) {
    struct config_setup setup = {.dir = STR("./config"), .use = CONFIG_SCHEMA_ONLY};
    struct flag flags[] = {
        {"config", "DIR", &setup.dir, NULL, NULL, "the configuration directory"},
        {0},
    };
    struct str rest[64];
    size_t n;
    if (!flags_read(flags, argc, argv, rest, COUNT(rest), &n)) return EXIT_USAGE;
    if (n > 0) return tell_usage(&command_check, "unexpected argument");
    return check(&setup);
}

const struct command command_check = {
    "check", "tell every problem of a configuration; status 1 if there is an error",
    "[--config DIR]", run};
