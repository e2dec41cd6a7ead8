/*
 * cli/command.h - the command line: a file a command
 *
 * Standard output carries answers only; everything else goes to standard error. A command returns
 * its exit status: 0 when it did what was asked, 1 when it could not or found something wrong, 2
 * when it was not told properly.
 *
 * To add a command: one file with a `struct command command_NAME` and one word in meson.build.
 */
#ifndef WEIR_CLI_COMMAND_H
#define WEIR_CLI_COMMAND_H

#include "base/arena.h"
#include "base/fail.h"

enum { EXIT_DONE = 0, EXIT_WRONG = 1, EXIT_USAGE = 2 };

/* A row a flag: `--name VALUE`, `--name=VALUE`, or `--name` for a switch. */
struct flag {
    const char *name;
    const char *value; /* what it takes, for people: "DIR"; NULL: a switch */
    struct str *into;
    bool *is_given;         /* switches */
    struct flag_list *list; /* may be repeated */
    const char *sentence;
};

struct flag_list {
    struct str items[64];
    size_t n;
};

struct command {
    const char *name;
    const char *summary;               /* one line */
    const char *usage;                 /* without "weir NAME" */
    int (*run)(int argc, char **argv); /* argv[0] is what follows the command's name */
};

extern const struct command *const commands[]; /* from meson.build; ends with NULL */

/* Takes flags out of argv; what is left, in order, goes to `rest`, at most max_rest. false: told on
 * standard error what is wrong. `flags` ends with a row whose name is NULL. */
bool flags_read(const struct flag *flags, int argc, char **argv, struct str *rest, size_t max_rest,
                size_t *n_rest);

/* "weir: sentence" and "hint: …" on standard error; EXIT_WRONG. */
int tell(const struct report *report);
/* "weir: …" and the command's usage; EXIT_USAGE. */
int tell_usage(const struct command *command, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Runs the command that argv[1] names. */
int command_main(int argc, char **argv);

#endif
