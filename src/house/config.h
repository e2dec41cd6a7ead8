/*
 * house/config.h - the files of a configuration directory, read and compiled to a snapshot
 *
 * All files or none: a snapshot comes out only when not one problem is an error. Reading leaves the
 * texts and trees in one arena, and the snapshot takes that arena with it.
 *
 * Memory:  what did not become a snapshot is freed. Problems borrow file names from the setup's
 *          and the loader's texts only while config_load() runs; their arena keeps copies.
 * Errors:  FAIL_CONFIG with everything in `problems`; FAIL_MEMORY.
 * Threads: one. Changes the environment (.env files) the first time only, before threads exist.
 */
#ifndef WEIR_HOUSE_CONFIG_H
#define WEIR_HOUSE_CONFIG_H

#include "house/settings.h"

enum config_use {
    CONFIG_SERVE = 0,  /* backends open their state */
    CONFIG_SCHEMA_ONLY /* `check`, `sql check`: no logs, no state, no engine */
};

struct config_setup {
    struct str dir; /* --config */
    struct settings_flags flags;
    struct str project; /* --project, or empty */
    enum config_use use;
};

/* Puts `.env` and `.env.local` of the working directory into the environment, names that are not
 * set already. FAIL_CONFIG for a line that is no NAME=value. */
MUST_USE result config_environment(struct report *report);

/* Reads all files of the directory, checks everything and compiles it. *out has one reference; the
 * settings live as long as it does. */
MUST_USE result config_load(const struct config_setup *setup, struct problems *problems,
                            struct snapshot **out, const struct settings **settings,
                            struct report *report);

/* Where the writable file of tokens lies (ODPS_AUTH_CONFIG_PATH, else auth.local.yaml), whether or
 * not it is there. STR_NONE: no memory. */
struct str config_auth_local(const struct config_setup *setup, struct arena *arena);

/* Only weir.yaml and security.yaml: for commands that read what a server wrote. */
MUST_USE result config_settings(struct str dir, struct arena *arena, struct problems *problems,
                                struct settings *out, struct report *report);

#endif
