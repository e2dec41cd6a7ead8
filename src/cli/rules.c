/*
 * cli/rules.c - weir rules import: a policy of PolicyLayer's becomes a rules.yaml
 */
#include "base/file.h"
#include "base/limits.h"
#include "cli/command.h"
#include "cli/open.h"
#include "policy/import.h"

#include <stdio.h>

extern const struct command command_rules;

/* The file goes to standard output as it is: cli_print() would add a line. */
static int import_text(const struct policy_import *import, struct arena *arena) {
    struct problems problems;
    struct report report = {0};
    struct buf out;
    problems_init(&problems, arena);
    buf_init(&out, YAML_BYTES_MAX);
    result r = policy_import(import, arena, &problems, &out);
    cli_print_problems(&problems, arena);
    struct str text = r.why == FAIL_NONE ? buf_take(&out, arena) : STR_NONE;
    buf_deinit(&out);
    if (r.why == FAIL_CONFIG) return EXIT_WRONG;
    if (r.why != FAIL_NONE || text.ptr == NULL) {
        fail_memory(&report);
        return tell(&report);
    }
    bool is_written = fwrite(text.ptr, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
    return is_written ? EXIT_DONE : EXIT_WRONG;
}

static int import_file(const char *path, struct str by) {
    struct arena arena;
    struct report report = {0};
    struct policy_import import = {.name = str_of(path), .by = by.len > 0 ? by.ptr : NULL};
    arena_init(&arena, CONFIG_BYTES_MAX);
    result r = file_read(path, YAML_BYTES_MAX, &arena, &import.text, &report);
    int status = r.why == FAIL_NONE ? import_text(&import, &arena) : tell(&report);
    arena_deinit(&arena);
    return status;
}

static int run(int argc, char **argv) {
    struct str by = STR_NONE, rest[3];
    size_t n;
    struct flag flags[] = {
        {"by", "session|principal|client", &by, NULL, NULL, "whom limits of all tools count"},
        {0},
    };
    if (!flags_read(flags, argc, argv, rest, COUNT(rest), &n)) return EXIT_USAGE;
    if (n != 2 || !str_eq(rest[0], STR("import")))
        return tell_usage(&command_rules, "'import FILE' is expected");
    if (by.len > 0 && !str_eq(by, STR("session")) && !str_eq(by, STR("principal")) &&
        !str_eq(by, STR("client")))
        return tell_usage(&command_rules, "--by is session, principal or client");
    return import_file(rest[1].ptr, by);
}

const struct command command_rules = {
    "rules", "make a rules.yaml of a policy of PolicyLayer's, never a weaker one",
    "import FILE [--by session|principal|client] >rules.yaml", run};
