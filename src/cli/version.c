/*
 * cli/version.c - weir version
 */
#include "cli/command.h"

#include <stdio.h>

extern const struct command command_version;

static int run(int argc, char **argv) {
    (void)argv;
    if (argc > 0) return tell_usage(&command_version, "unexpected argument");
    puts("weir " WEIR_VERSION);
    return EXIT_DONE;
}

const struct command command_version = {"version", "tell the version", "", run};
