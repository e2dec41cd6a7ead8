/*
 * cli/token.c - weir token: makes tokens, and the hashes that are all we keep of them
 */
#include "base/limits.h"
#include "cli/command.h"
#include "identity/identity.h"

#include <stdio.h>

extern const struct command command_token;

static int print_new(struct str user) {
    char token[TOKEN_TEXT_SIZE], hash[TOKEN_HASH_SIZE];
    token_new(token);
    token_hash(str_of(token), hash);
    fprintf(stderr,
            "The token is shown once; keep it. This goes into auth.local.yaml:\n\n"
            "tokens:\n  \"%s\":\n    user_id: " STR_FMT "\n\n",
            hash, STR_ARG(user));
    printf("%s\n", token);
    return EXIT_DONE;
}

/* The token comes by standard input, so that it stands in no list of processes. */
static int print_hash(void) {
    char line[TOKEN_BYTES_MAX + 2], hash[TOKEN_HASH_SIZE];
    if (fgets(line, sizeof line, stdin) == NULL || str_trim(str_of(line)).len == 0) {
        fputs("weir: a token is expected on standard input\n", stderr);
        return EXIT_WRONG;
    }
    if (strchr(line, '\n') == NULL && !feof(stdin)) {
        fprintf(stderr, "weir: a token is at most %d bytes long\n", TOKEN_BYTES_MAX);
        return EXIT_WRONG;
    }
    token_hash(str_trim(str_of(line)), hash);
    printf("%s\n", hash);
    return EXIT_DONE;
}

static int run(int argc, char **argv) {
    struct str user = STR("USER"), rest[8];
    size_t n;
    struct flag flags[] = {
        {"user", "USER", &user, NULL, NULL, "whose token it will be"},
        {0},
    };
    if (!flags_read(flags, argc, argv, rest, COUNT(rest), &n)) return EXIT_USAGE;
    if (n == 1 && str_eq(rest[0], STR("new"))) return print_new(user);
    if (n == 1 && str_eq(rest[0], STR("hash"))) return print_hash();
    return tell_usage(&command_token, "'new' or 'hash' is expected");
}

const struct command command_token = {"token",
                                      "make a token, or the hash of one given on standard input",
                                      "new [--user USER] | hash", run};
