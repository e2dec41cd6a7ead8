/*
 * cli/help.c - weir help settings: the table of settings as a page
 */
#include "base/limits.h"
#include "cli/command.h"
#include "cli/open.h"

#include <stdio.h>

extern const struct command command_help;

static int run(int argc, char **argv) {
    if (argc != 1 || strcmp(argv[0], "settings") != 0)
        return tell_usage(&command_help, "'settings' is expected");
    struct buf page;
    buf_init(&page, MIB);
    settings_print(&page);
    cli_print(&page);
    buf_deinit(&page);
    return EXIT_DONE;
}

const struct command command_help = {"help", "tell all settings, with bounds and defaults",
                                     "settings", run};
