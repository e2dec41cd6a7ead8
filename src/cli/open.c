#include "cli/open.h"

#include "base/limits.h"

#include <stdio.h>
#include <stdlib.h>

void cli_print_problems(const struct problems *problems, struct arena *arena) {
    for (size_t i = 0; i < problems->n; i++)
        fprintf(stderr, STR_FMT "\n", STR_ARG(problem_print(&problems->items[i], arena)));
}

bool cli_open(struct house *house, const struct config_setup *setup) {
    struct arena arena;
    struct problems problems;
    struct report report = {0};
    arena_init(&arena, CONFIG_PROBLEM_BYTES_MAX);
    problems_init(&problems, &arena);
    result r = house_open(house, setup, &problems, &report);
    cli_print_problems(&problems, &arena);
    arena_deinit(&arena);
    if (r.why != FAIL_NONE) tell(&report);
    return r.why == FAIL_NONE;
}

bool cli_load(struct str dir, struct snapshot **out) {
    struct config_setup setup = {.dir = dir, .use = CONFIG_SCHEMA_ONLY};
    struct arena arena;
    struct problems problems;
    struct report report = {0};
    const struct settings *settings;
    arena_init(&arena, CONFIG_PROBLEM_BYTES_MAX);
    problems_init(&problems, &arena);
    result r = config_environment(&report);
    if (r.why == FAIL_NONE) r = config_load(&setup, &problems, out, &settings, &report);
    if (r.why != FAIL_NONE) cli_print_problems(&problems, &arena);
    arena_deinit(&arena);
    if (r.why != FAIL_NONE) tell(&report);
    return r.why == FAIL_NONE;
}

const struct settings *cli_settings(struct str dir, struct arena *arena) {
    struct problems problems;
    struct report report = {0};
    struct settings *settings = arena_new(arena, struct settings);
    problems_init(&problems, arena);
    result r = config_environment(&report);
    if (r.why == FAIL_NONE && settings != NULL)
        r = config_settings(dir, arena, &problems, settings, &report);
    cli_print_problems(&problems, arena);
    if (r.why == FAIL_NONE && problems.n_errors == 0) return settings;
    if (r.why != FAIL_NONE) tell(&report);
    return NULL;
}

bool cli_next_line(struct cli_lines *lines, struct str *line) {
    ssize_t n = getline(&lines->bytes, &lines->cap, stdin);
    if (n < 0) return false;
    *line = str_trim((struct str){lines->bytes, (size_t)n});
    return true;
}

void cli_lines_end(struct cli_lines *lines) {
    free(lines->bytes);
}

void cli_print(struct buf *out) {
    struct iovec iov[64];
    for (size_t done = 0; done < out->len;) {
        size_t n = buf_iov(out, done, iov, COUNT(iov));
        for (size_t i = 0; i < n; i++) {
            fwrite(iov[i].iov_base, 1, iov[i].iov_len, stdout);
            done += iov[i].iov_len;
        }
    }
    fputc('\n', stdout);
    fflush(stdout);
}
