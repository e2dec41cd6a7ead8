/*
 * cli/doctor.c - weir doctor: what is wrong with this deployment
 *
 * Checks are rows of one table; each is told apart from the others, so that one finding does not
 * hide the next.
 */
#include "cli/doctor.h"

#include "base/limits.h"
#include "base/log.h"
#include "cli/command.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct command command_doctor;

/* -- telling ---------------------------------------------------------------------------------- */

void doctor_tell(struct patient *patient, enum grade grade, struct str where, const char *why,
                 const char *remedy, const char *fmt, ...) {
    static const char *const names[] = {"ok", "note", "warning", "SERIOUS"};
    va_list args;
    patient->n[grade]++;
    printf("%-8s %-13s ", names[grade], patient->check);
    if (where.len > 0) printf(STR_FMT ": ", STR_ARG(where));
    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);
    putchar('\n');
    if (why != NULL) printf("%23swhy: %s\n", "", why);
    if (remedy != NULL) printf("%23sdo:  %s\n", "", remedy);
}

static struct str parent_of(struct str path) {
    while (path.len > 0 && path.ptr[path.len - 1] != '/') path.len--;
    return path.len > 1 ? str_slice(path, 0, path.len - 1) : path.len == 1 ? STR("/") : STR(".");
}

bool doctor_directory(struct patient *patient, struct str path, const char *what, bool *is_there) {
    const char *name = str_cstr(patient->arena, path);
    const char *parent = str_cstr(patient->arena, parent_of(path));
    struct stat st;
    *is_there = name != NULL && stat(name, &st) == 0;
    if (*is_there && S_ISDIR(st.st_mode) && access(name, R_OK | W_OK | X_OK) == 0) {
        if ((st.st_mode & S_IWOTH) == 0) return true;
        doctor_tell(patient, GRADE_SERIOUS, path,
                    "Anybody on this machine can change what is kept.", "chmod o-w it.",
                    "everybody may write to the directory of %s", what);
        return true;
    }
    if (!*is_there && parent != NULL && access(parent, W_OK | X_OK) == 0) return true;
    doctor_tell(patient, GRADE_SERIOUS, path, "A server does not start without it.",
                "Make the directory for the user that serves, or run doctor as that user.",
                "the directory of %s cannot be written by this user", what);
    return false;
}

/* -- the configuration ------------------------------------------------------------------------ */

static void tell_problem(struct patient *patient, const struct problem *problem) {
    struct str text = problem_print(problem, patient->arena);
    bool is_error = problem->severity == SEVERITY_ERROR;
    doctor_tell(patient, is_error ? GRADE_SERIOUS : GRADE_WARNING, STR_NONE,
                is_error ? "A server does not start with it, and a reload keeps the old one."
                         : "It is taken, and probably not meant so.",
                NULL, STR_FMT, STR_ARG(text));
}

/* Databases are made in the state directory when backends open. Who does not own it, or is here
 * before any server, looks at the description alone. */
static enum config_use use_of(struct patient *patient) {
    struct problems unused;
    struct settings settings;
    struct report report = {0};
    struct stat st;
    problems_init(&unused, patient->arena);
    if (config_settings(patient->setup->dir, patient->arena, &unused, &settings, &report).why !=
        FAIL_NONE)
        return CONFIG_SCHEMA_ONLY;
    const char *state = str_cstr(patient->arena, settings.server.state_directory);
    bool is_ours = state != NULL && stat(state, &st) == 0 && st.st_uid == geteuid();
    return is_ours ? CONFIG_SERVE : CONFIG_SCHEMA_ONLY;
}

static void check_configuration(struct patient *patient) {
    struct problems problems;
    struct report report = {0};
    struct config_setup setup = *patient->setup;
    problems_init(&problems, patient->arena);
    setup.use = use_of(patient);
    result r = config_load(&setup, &problems, &patient->snapshot, &patient->settings, &report);
    for (size_t i = 0; i < problems.n; i++) tell_problem(patient, &problems.items[i]);
    if (r.why == FAIL_NONE)
        doctor_tell(patient, GRADE_GOOD, setup.dir, NULL, NULL, "policy " STR_FMT,
                    STR_ARG(policy_version(patient->snapshot->policy)));
    else if (problems.n_errors == 0)
        doctor_tell(patient, GRADE_SERIOUS, setup.dir, "A server does not start.", NULL, "%s",
                    report.sentence);
}

/* -- all of them ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*run)(struct patient *patient);
    bool needs_configuration;
} checks[] = {
    {"configuration", check_configuration, false},
    {"files", doctor_files, false},
    {"listeners", doctor_listeners, true},
    {"tls", doctor_tls, true},
    {"backends", doctor_backends, true},
    {"audit", doctor_audit, true},
    {"store", doctor_store, true},
    {"clock", doctor_clock, false},
    {"limits", doctor_limits, true},
    {"sandbox", doctor_sandbox, true},
    {"tools", doctor_tools, true},
};

static int examine(const struct config_setup *setup) {
    struct arena arena;
    struct report report = {0};
    arena_init(&arena, CONFIG_PROBLEM_BYTES_MAX);
    struct patient patient = {.setup = setup, .arena = &arena};
    log_threshold(LOG_ERROR);
    if (config_environment(&report).why != FAIL_NONE) return tell(&report);
    for (size_t i = 0; i < COUNT(checks); i++) {
        patient.check = checks[i].name;
        if (!checks[i].needs_configuration || patient.snapshot != NULL) checks[i].run(&patient);
    }
    printf("doctor: %zu serious, %zu warning%s, %zu note%s, %zu good\n", patient.n[GRADE_SERIOUS],
           patient.n[GRADE_WARNING], patient.n[GRADE_WARNING] == 1 ? "" : "s",
           patient.n[GRADE_NOTE], patient.n[GRADE_NOTE] == 1 ? "" : "s", patient.n[GRADE_GOOD]);
    snapshot_unref(patient.snapshot);
    arena_deinit(&arena);
    return patient.n[GRADE_SERIOUS] > 0 ? EXIT_WRONG : EXIT_DONE;
}

static int run(int argc, char **argv) {
    struct config_setup setup = {.dir = STR("./config")};
    struct flag flags[] = {
        {"config", "DIR", &setup.dir, NULL, NULL, "the configuration directory"},
        {0},
    };
    struct str rest[64];
    size_t n;
    if (!flags_read(flags, argc, argv, rest, COUNT(rest), &n)) return EXIT_USAGE;
    if (n > 0) return tell_usage(&command_doctor, "unexpected argument");
    return examine(&setup);
}

const struct command command_doctor = {
    "doctor", "tell what is wrong with this deployment; status 1 if anything is serious",
    "[--config DIR]", run};
