/*
 * cli/doctor_system.c - weir doctor: clock, limits of the process, walls around engines
 */
#include "cli/doctor.h"

#include "backend/backend.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

/* -- clock ------------------------------------------------------------------------------------ */

void doctor_clock(struct patient *patient) {
    static const int64_t first_ms = INT64_C(1767225600000); /* 2026-01-01 */
    struct timex state = {0};
    char now[CLOCK_ISO_MAX];
    int64_t ms = clock_wall_ms(&clock_real);
    clock_iso(ms, false, now);
    if (ms < first_ms)
        doctor_tell(patient, GRADE_SERIOUS, STR_NONE,
                    "Tokens, signatures and certificates are judged by it, and records carry it.",
                    "Set the clock.", "the clock says %s, which is in the past", now);
    else if (adjtimex(&state) < 0 || (state.status & STA_UNSYNC) != 0)
        doctor_tell(patient, GRADE_NOTE, STR_NONE,
                    "Signatures of gateways and other replicas may be off by 300 seconds at most.",
                    "Run chrony or systemd-timesyncd, unless this machine's host keeps its clock.",
                    "the clock says %s, and nothing here keeps it right", now);
    else
        doctor_tell(patient, GRADE_GOOD, STR_NONE, NULL, NULL, "%s, kept right", now);
}

/* -- limits ----------------------------------------------------------------------------------- */

enum { DESCRIPTORS_BESIDE = 256 }; /* logs, store, loops, pipes to workers */

void doctor_limits(struct patient *patient) {
    struct rlimit files = {0};
    int64_t needs = patient->settings->http.max_connections + DESCRIPTORS_BESIDE;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    int64_t may = files.rlim_cur > (rlim_t)INT64_MAX ? INT64_MAX : (int64_t)files.rlim_cur;
    if (may < needs)
        doctor_tell(patient, GRADE_WARNING, STR_NONE,
                    "Connections beyond it wait until others leave.",
                    "ulimit -n, or LimitNOFILE= of the service, to at least that; or lower "
                    "http.max_connections.",
                    "%lld files may be open, and %lld connections need %lld", (long long)may,
                    (long long)patient->settings->http.max_connections, (long long)needs);
    else
        doctor_tell(patient, GRADE_GOOD, STR_NONE, NULL, NULL,
                    "%lld files may be open; %lld connections need %lld", (long long)may,
                    (long long)patient->settings->http.max_connections, (long long)needs);
}

/* -- sandbox ---------------------------------------------------------------------------------- */

static long landlock_version(void) {
    return syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* asks for the version */);
}

static bool has_seccomp(void) {
    unsigned action = SECCOMP_RET_KILL_PROCESS;
    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

/* Engines in workers of ours need the walls; others have their own. */
static bool has_workers(const struct patient *patient) {
    const struct backend_set *set = patient->snapshot->backends;
    for (size_t i = 0; i < backend_set_count(set); i++)
        if (str_eq(str_of(backend_kind_of(backend_set_at(set, i))->name), STR("duckdb")))
            return true;
    return false;
}

void doctor_sandbox(struct patient *patient) {
    long landlock = landlock_version();
    bool seccomp = has_seccomp();
    enum grade grade = has_workers(patient) ? GRADE_SERIOUS : GRADE_NOTE;
    const char *why = "Workers of the embedded engine do not start without it.";
    if (landlock < 1)
        doctor_tell(patient, grade, STR_NONE, why,
                    "A kernel of 5.13 or newer with landlock in its list of security modules.",
                    "the kernel has no landlock (%s)", errno == ENOSYS ? "not built" : "not on");
    if (!seccomp)
        doctor_tell(patient, grade, STR_NONE, why, "A kernel with CONFIG_SECCOMP_FILTER.",
                    "the kernel has no seccomp filters");
    if (landlock >= 1 && seccomp)
        doctor_tell(patient, GRADE_GOOD, STR_NONE, NULL, NULL, "landlock %ld, seccomp", landlock);
}
