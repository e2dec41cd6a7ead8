/*
 * cli/doctor.h - what is wrong with this deployment: findings, and who makes them
 *
 * A check looks at one thing and tells what it finds: good, or what is wrong, where, why that
 * matters and what to do. It changes nothing: what a server would make at its start is not made.
 *
 * Memory:  texts live in the patient's arena.
 * Errors:  are findings.
 * Threads: one.
 */
#ifndef WEIR_CLI_DOCTOR_H
#define WEIR_CLI_DOCTOR_H

#include "house/config.h"

enum grade {
    GRADE_GOOD = 0,
    GRADE_NOTE,    /* worth knowing */
    GRADE_WARNING, /* works, and should be otherwise */
    GRADE_SERIOUS, /* does not work, or is not safe: exit status 1 */
    GRADES
};

struct finding {
    enum grade grade;
    const char *check; /* its name: "tls" */
    struct str where;  /* a file, an address; may be empty */
    struct str what;
    const char *why, *remedy; /* NULL where the grade is good */
};

struct patient {
    const struct config_setup *setup;
    struct arena *arena;
    struct snapshot *snapshot;       /* NULL: the configuration is wrong */
    const struct settings *settings; /* NULL likewise */
    const char *check;               /* that is running */
    size_t n[GRADES];
};

/* Prints it. `where` may be empty; `why` and `remedy` are sentences, NULL for what is good. */
void doctor_tell(struct patient *patient, enum grade grade, struct str where, const char *why,
                 const char *remedy, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* May a server that is started as this user, from here, write to the directory or make it? Tells
 * what is wrong; `is_there` is whether it exists. */
bool doctor_directory(struct patient *patient, struct str path, const char *what, bool *is_there);

void doctor_files(struct patient *patient); /* doctor_files.c: who may read and write what */
void doctor_tls(struct patient *patient);   /* doctor_tls.c */
void doctor_clock(struct patient *patient); /* doctor_system.c */
void doctor_limits(struct patient *patient);
void doctor_sandbox(struct patient *patient);
void doctor_listeners(struct patient *patient); /* doctor_house.c */
void doctor_backends(struct patient *patient);
void doctor_audit(struct patient *patient);
void doctor_store(struct patient *patient);
void doctor_tools(struct patient *patient);

#endif
