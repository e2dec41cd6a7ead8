/*
 * cli/doctor_files.c - weir doctor: who may read and write what
 */
#include "cli/doctor.h"

#include <sys/stat.h>

/* What lies in a configuration directory, and who may look at it. */
static const struct {
    const char *name;
    bool holds_secrets; /* or may: tokens, salts, keys */
} files[] = {
    {"weir.yaml", true},
    {"policy.yaml", false},
    {"allowlist.yaml", false},
    {"auth.yaml", true},
    {"auth.local.yaml", true},
    {"enterprise.yaml", true},
    {"security.yaml", false},
    {"rules.yaml", false},
    {"ai_catalog/joins.yaml", false},
    {"", false},
};

static void check_writers(struct patient *patient, struct str path, const struct stat *st) {
    if ((st->st_mode & (S_IWOTH | S_IWGRP)) == 0) return;
    bool by_all = (st->st_mode & S_IWOTH) != 0;
    doctor_tell(patient, by_all ? GRADE_SERIOUS : GRADE_WARNING, path,
                "Who can write it decides who may see what.", "chmod go-w it.", "%s may write it",
                by_all ? "everybody" : "its group");
}

/* Adds the file to `open` when it may hold secrets and everybody may read it. */
static void check_file(struct patient *patient, struct str path, bool holds_secrets,
                       struct str *open) {
    const char *name = str_cstr(patient->arena, path);
    struct stat st;
    if (name == NULL || stat(name, &st) != 0) return;
    check_writers(patient, path, &st);
    if (holds_secrets && (st.st_mode & S_IROTH) != 0)
        *open = str_printf(patient->arena, STR_FMT "%s" STR_FMT, STR_ARG(*open),
                           open->len > 0 ? ", " : "", STR_ARG(path));
}

static void check_secret(struct patient *patient, struct str path, const char *what) {
    const char *name = str_cstr(patient->arena, path);
    struct stat st;
    if (path.len == 0 || name == NULL || stat(name, &st) != 0) return;
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        doctor_tell(patient, GRADE_SERIOUS, path, "Whoever reads it can pretend to be this server.",
                    "chmod 600 it, and renew it if it was readable for long.",
                    "%s is open to others (mode %03o)", what, (unsigned)(st.st_mode & 0777));
}

static struct str beneath(struct patient *patient, struct str dir, struct str name) {
    if (str_starts(name, STR("/"))) return name;
    return str_printf(patient->arena, STR_FMT "%s" STR_FMT, STR_ARG(dir), name.len > 0 ? "/" : "",
                      STR_ARG(name));
}

static void check_keys(struct patient *patient) {
    const struct server_settings *server = &patient->settings->server;
    check_secret(patient, patient->settings->http.tls_key, "the key of TLS");
    check_secret(patient, beneath(patient, server->state_directory, server->secret_file),
                 "the server's secret");
    check_secret(patient, beneath(patient, server->state_directory, patient->settings->store.path),
                 "the store");
}

void doctor_files(struct patient *patient) {
    size_t before = patient->n[GRADE_WARNING] + patient->n[GRADE_SERIOUS];
    struct str open = STR("");
    for (size_t i = 0; i < COUNT(files); i++)
        check_file(patient, beneath(patient, patient->setup->dir, str_of(files[i].name)),
                   files[i].holds_secrets, &open);
    check_file(patient, STR(".env"), true, &open);
    check_file(patient, STR(".env.local"), true, &open);
    if (open.len > 0)
        doctor_tell(patient, GRADE_WARNING, STR_NONE,
                    "Tokens, salts or passwords may stand there, and every account of this "
                    "machine can read them.",
                    "chmod o-r; or keep secrets in the environment: ${NAME} in a value.",
                    "everybody may read " STR_FMT, STR_ARG(open));
    if (patient->settings != NULL) check_keys(patient);
    if (patient->n[GRADE_WARNING] + patient->n[GRADE_SERIOUS] == before)
        doctor_tell(patient, GRADE_GOOD, patient->setup->dir, NULL, NULL,
                    "only its owner may write it, and secrets are not open to all");
}
