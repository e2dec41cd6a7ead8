/*
 * cli/audit.c - weir audit: read the record, and prove that it is whole
 */
#include "base/limits.h"
#include "cli/command.h"
#include "cli/open.h"
#include "house/config.h"

#include <stdio.h>
#include <stdlib.h>

extern const struct command command_audit;

enum { AUDIT_TAIL_LINES = 10 };

static bool print_line(struct str line, void *with) {
    (void)with;
    return fwrite(line.ptr, 1, line.len, stdout) == line.len && fputc('\n', stdout) != EOF;
}

static int search(const struct settings *settings, const struct audit_query *query) {
    struct report report = {0};
    result r = audit_search(settings->server.logs_directory, settings->audit.file, query,
                            print_line, NULL, &report);
    fflush(stdout);
    return r.why == FAIL_NONE ? EXIT_DONE : tell(&report);
}

static int verify(const struct settings *settings) {
    struct arena arena;
    struct report report = {0};
    struct audit_verified v = {0};
    arena_init(&arena, CALL_ARENA_BYTES);
    result r = audit_verify(settings->server.logs_directory, settings->server.state_directory,
                            settings->audit.file, &v, &arena, &report);
    arena_deinit(&arena);
    if (r.why != FAIL_NONE) return tell(&report);
    printf("ok: %llu records in %llu files, numbers %llu to %llu, the chain is whole\n",
           (unsigned long long)v.records, (unsigned long long)v.files,
           (unsigned long long)v.first_seq, (unsigned long long)v.last_seq);
    return EXIT_DONE;
}

static int run_verb(struct str verb, struct str dir, struct audit_query *query, struct str last) {
    struct arena arena;
    uint64_t n = 0;
    if (last.len > 0 && !str_to_u64(last, &n))
        return tell_usage(&command_audit, "--last takes a number");
    query->last = last.len > 0 ? (size_t)n : 0;
    arena_init(&arena, CONFIG_BYTES_MAX);
    const struct settings *settings = cli_settings(dir, &arena);
    int status = EXIT_WRONG;
    if (settings == NULL) {
        status = EXIT_WRONG;
    } else if (str_eq(verb, STR("verify"))) {
        status = verify(settings);
    } else if (str_eq(verb, STR("search"))) {
        status = search(settings, query);
    } else if (str_eq(verb, STR("tail"))) {
        if (query->last == 0) query->last = AUDIT_TAIL_LINES;
        status = search(settings, query);
    } else {
        status = tell_usage(&command_audit, "'tail', 'search' or 'verify' is expected");
    }
    arena_deinit(&arena);
    return status;
}

static int run(int argc, char **argv) {
    struct str dir = STR("./config"), last = STR_NONE, rest[64];
    struct audit_query query = {0};
    size_t n;
    struct flag flags[] = {
        {"config", "DIR", &dir, NULL, NULL, "the configuration directory"},
        {"last", "N", &last, NULL, NULL, "only the last N records"},
        {"user", "USER", &query.user_id, NULL, NULL, "of this user"},
        {"tool", "TOOL", &query.tool_name, NULL, NULL, "of this tool"},
        {"outcome", "success|denied|error", &query.outcome, NULL, NULL, "with this outcome"},
        {"id", "AUDIT_ID", &query.audit_id, NULL, NULL, "this one"},
        {"text", "TEXT", &query.text, NULL, NULL, "with this text anywhere"},
        {"since", "TIME", &query.since, NULL, NULL, "from this time on: 2026-11-20T09"},
        {"until", "TIME", &query.until, NULL, NULL, "up to this time"},
        {0},
    };
    if (!flags_read(flags, argc, argv, rest, COUNT(rest), &n)) return EXIT_USAGE;
    if (n != 1) return tell_usage(&command_audit, "'tail', 'search' or 'verify' is expected");
    return run_verb(rest[0], dir, &query, last);
}

const struct command command_audit = {
    "audit", "read the audit log, or verify its chain",
    "tail|search|verify [--config DIR] [--last N] [--user USER] [--tool TOOL]\n"
    "         [--outcome success|denied|error] [--id AUDIT_ID] [--text TEXT]\n"
    "         [--since TIME] [--until TIME]",
    run};
