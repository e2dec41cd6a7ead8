/*
 * cli/serve.c - weir serve: until told to stop
 */
#include "cli/command.h"
#include "cli/open.h"
#include "house/server.h"

extern const struct command command_serve;

static int run(int argc, char **argv) {
    struct config_setup setup = {.dir = STR("./config")};
    struct flag flags[] = {
        {"config", "DIR", &setup.dir, NULL, NULL, "the configuration directory"},
        {"host", "HOST", &setup.flags.host, NULL, NULL, "the address to listen on"},
        {"port", "PORT", &setup.flags.port, NULL, NULL, "the port to listen on"},
        {"transport", "http|stdio", &setup.flags.transport, NULL, NULL, "how clients reach us"},
        {0},
    };
    struct str rest[64];
    size_t n;
    if (!flags_read(flags, argc, argv, rest, COUNT(rest), &n)) return EXIT_USAGE;
    if (n > 0) return tell_usage(&command_serve, "unexpected argument");
    struct house house = {0};
    struct report report = {0};
    server_block_signals();
    if (!cli_open(&house, &setup)) return EXIT_WRONG;
    result r = server_run(&house, &report);
    house_close(&house);
    return r.why == FAIL_NONE ? EXIT_DONE : tell(&report);
}

const struct command command_serve = {
    "serve", "serve agents over HTTP or standard input and output",
    "[--config DIR] [--host HOST] [--port PORT] [--transport http|stdio]", run};
