/*
 * cli/open.h - a house for a command, and its problems told to people
 */
#ifndef WEIR_CLI_OPEN_H
#define WEIR_CLI_OPEN_H

#include "cli/command.h"
#include "house/house.h"

/* Opens the house; errors and warnings of the configuration go to standard error, a line each.
 * false: it is not open. */
bool cli_open(struct house *house, const struct config_setup *setup);

/* Each on a line of standard error. */
void cli_print_problems(const struct problems *problems, struct arena *arena);

/* Only compiles the configuration: no logs, no state, no engine. *out has one reference. Errors are
 * told as cli_open() tells them, and warnings are not. */
bool cli_load(struct str dir, struct snapshot **out);

/* The settings alone, for commands that read what a server wrote: a bad policy must not keep
 * anybody from reading the log. NULL: told what is wrong. */
const struct settings *cli_settings(struct str dir, struct arena *arena);

/* Lines of standard input, for --jsonl. The line is valid until the next call. */
struct cli_lines {
    char *bytes;
    size_t cap;
};
bool cli_next_line(struct cli_lines *lines, struct str *line);
void cli_lines_end(struct cli_lines *lines);

/* Writes all and a newline to standard output, at once. */
void cli_print(struct buf *out);

#endif
