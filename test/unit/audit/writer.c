/* The thread: order, acknowledgement, a full queue, a full disk, kill -9. */
#include "room.h"

#include "base/fault.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct audit *open_audit(struct room *room) {
    struct audit *audit = NULL;
    struct report report = {0};
    result r = audit_open(&room->settings, str_of(room->logs), str_of(room->state), &room->clock,
                          &audit, &report);
    if (r.why != FAIL_NONE) print_error("%s\n", report.sentence);
    assert_int_equal(r.why, FAIL_NONE);
    return audit;
}

/* -- acknowledgement -------------------------------------------------------------------------- */

/* What one submitting thread was told. */
struct teller {
    pthread_mutex_t lock;
    pthread_cond_t told;
    int n_ok, n_failed;
    int expected; /* the number that done() has to bring next; -1: not looked at */
    bool is_disordered;
};

struct ticket {
    struct teller *teller;
    int number;
};

static void teller_init(struct teller *teller) {
    memset(teller, 0, sizeof *teller);
    pthread_mutex_init(&teller->lock, NULL);
    pthread_cond_init(&teller->told, NULL);
}

static void tell(void *with, result how) {
    struct ticket *ticket = with;
    struct teller *teller = ticket->teller;
    pthread_mutex_lock(&teller->lock);
    if (teller->expected >= 0 && ticket->number != teller->expected++) teller->is_disordered = true;
    if (how.why == FAIL_NONE)
        teller->n_ok++;
    else
        teller->n_failed++;
    pthread_cond_broadcast(&teller->told);
    pthread_mutex_unlock(&teller->lock);
}

static void wait_for(struct teller *teller, int n) {
    pthread_mutex_lock(&teller->lock);
    while (teller->n_ok + teller->n_failed < n) pthread_cond_wait(&teller->told, &teller->lock);
    pthread_mutex_unlock(&teller->lock);
}

static void submit_and_wait(struct audit *audit, struct teller *teller, int n) {
    struct audit_record record = room_record("one");
    struct ticket ticket = {teller, 0};
    assert_int_equal(audit_submit(audit, &record, tell, &ticket).why, FAIL_NONE);
    wait_for(teller, n);
}

static void a_record_is_there_when_it_is_acknowledged(void **state) {
    (void)state;
    for (int sync = AUDIT_EVERYSEC; sync <= AUDIT_ALWAYS; sync++) {
        struct room room;
        struct teller teller;
        struct str sentence;
        size_t len;
        room_init(&room);
        room.settings.sync = sync;
        struct audit *audit = open_audit(&room);
        teller_init(&teller);
        teller.expected = -1;
        for (int i = 1; i <= 5; i++) {
            submit_and_wait(audit, &teller, i);
            char *bytes = room_read(&room, "audit.jsonl", &len);
            assert_true(str_eq(audit_line_member(room_line(bytes, len, (size_t)i), STR("seq")),
                               (struct str){&"12345"[i - 1], 1}));
            free(bytes);
            room_assert_sound(&room, (uint64_t)i);
        }
        assert_true(audit_is_ready(audit, &sentence, &room.arena));
        assert_int_equal(sentence.len, 0);
        assert_int_equal(teller.n_ok, 5);
        audit_close(audit);
        room_assert_sound(&room, 5);
        room_deinit(&room);
    }
}

enum { THREADS = 4, EACH = 400 };

struct submitter {
    struct audit *audit;
    struct teller teller;
    struct ticket tickets[EACH];
    pthread_t thread;
    int n_refused;
};

static void *submit_many(void *with) {
    struct submitter *self = with;
    for (int i = 0; i < EACH; i++) {
        struct audit_record record = room_record("many");
        self->tickets[i] = (struct ticket){&self->teller, i};
        result r = audit_submit(self->audit, &record, tell, &self->tickets[i]);
        if (r.why != FAIL_NONE) self->n_refused++;
    }
    wait_for(&self->teller, EACH - self->n_refused);
    return NULL;
}

static void run_threads(struct room *room, int sync) {
    static struct submitter submitters[THREADS];
    room->settings.sync = sync;
    struct audit *audit = open_audit(room);
    for (size_t i = 0; i < THREADS; i++) {
        memset(&submitters[i], 0, sizeof submitters[i]);
        teller_init(&submitters[i].teller);
        submitters[i].audit = audit;
        assert_int_equal(pthread_create(&submitters[i].thread, NULL, submit_many, &submitters[i]),
                         0);
    }
    struct str sentence;
    for (size_t i = 0; i < THREADS; i++) {
        assert_true(audit_is_ready(audit, &sentence, &room->arena));
        /* a log that grows is read as far as it is whole */
        assert_int_equal(room_verify(room, NULL), FAIL_NONE);
        assert_int_equal(pthread_join(submitters[i].thread, NULL), 0);
        assert_int_equal(submitters[i].teller.n_ok, EACH);
        assert_int_equal(submitters[i].n_refused, 0);
        assert_false(submitters[i].teller.is_disordered);
    }
    audit_close(audit);
}

static void many_threads_keep_their_order(void **state) {
    (void)state;
    for (int sync = AUDIT_EVERYSEC; sync <= AUDIT_ALWAYS; sync++) {
        struct room room;
        room_init(&room);
        run_threads(&room, sync);
        room_assert_sound(&room, THREADS * EACH);
        room_deinit(&room);
    }
}

/* -- the queue -------------------------------------------------------------------------------- */

/* Holds the writer inside done() until it is let go. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool is_reached, is_open;
};

static void stand(void *with, result how) {
    struct gate *gate = with;
    assert_int_equal(how.why, FAIL_NONE);
    pthread_mutex_lock(&gate->lock);
    gate->is_reached = true;
    pthread_cond_broadcast(&gate->moved);
    while (!gate->is_open) pthread_cond_wait(&gate->moved, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static void a_full_queue_is_busy(void **state) {
    (void)state;
    struct room room;
    struct teller teller;
    struct gate gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, false};
    room_init(&room);
    room.settings.queue_bytes = 20000;
    struct audit *audit = open_audit(&room);
    teller_init(&teller);
    struct audit_record record = room_record("q");
    assert_int_equal(audit_submit(audit, &record, stand, &gate).why, FAIL_NONE);
    pthread_mutex_lock(&gate.lock);
    while (!gate.is_reached) pthread_cond_wait(&gate.moved, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
    static struct ticket tickets[100];
    int n = 0;
    result r = OK;
    for (; n < 100; n++) {
        tickets[n] = (struct ticket){&teller, n};
        r = audit_submit(audit, &record, tell, &tickets[n]);
        if (r.why != FAIL_NONE) break;
    }
    assert_int_equal(r.why, FAIL_BUSY);
    assert_true(n >= 10 && n < 25);
    pthread_mutex_lock(&gate.lock);
    gate.is_open = true;
    pthread_cond_broadcast(&gate.moved);
    pthread_mutex_unlock(&gate.lock);
    wait_for(&teller, n);
    /* there is room again, and what is larger than the whole queue goes through alone */
    static char large[100000];
    memset(large, 'x', sizeof large);
    record.sql_asked = (struct str){large, sizeof large};
    teller.expected = -1;
    while ((r = audit_submit(audit, &record, tell, &tickets[0])).why == FAIL_BUSY) sched_yield();
    assert_int_equal(r.why, FAIL_NONE);
    wait_for(&teller, n + 1);
    audit_close(audit);
    assert_int_equal(teller.n_ok, n + 1);
    room_assert_sound(&room, (uint64_t)n + 2);
    room_deinit(&room);
}

static void closing_writes_what_waits(void **state) {
    (void)state;
    struct room room;
    room_init(&room);
    audit_close(NULL);
    struct audit *audit = open_audit(&room);
    struct audit_record record = room_record("w");
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(audit_submit(audit, &record, NULL, NULL).why, FAIL_NONE);
    }
    audit_close(audit);
    room_assert_sound(&room, 1000);
    room_deinit(&room);
}

/* -- the disk --------------------------------------------------------------------------------- */

/* In a process of its own, because the limit is the process's. SIGXFSZ is not ignored here: opening
 * and writing have to survive it by themselves. */
static int survive_full_disk(struct room *room) {
    struct rlimit limit = {8000, 1 << 20};
    struct teller teller;
    struct str sentence;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    struct audit *audit = open_audit(room);
    teller_init(&teller);
    teller.expected = -1;
    int n = 0;
    while (teller.n_failed == 0 && n < 100) submit_and_wait(audit, &teller, ++n);
    if (teller.n_failed != 1 || teller.n_ok < 3) return 2;
    if (audit_is_ready(audit, &sentence, &room->arena)) return 3;
    if (str_find(sentence, STR("File too large")) == sentence.len) return 4;
    submit_and_wait(audit, &teller, ++n); /* still full */
    if (teller.n_failed != 2) return 5;
    int n_before = teller.n_ok;
    limit.rlim_cur = 1 << 20;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 6;
    /* With the next record, or by itself where nobody dares to ask any more. */
    bool is_patient = room->settings.sync == AUDIT_ALWAYS;
    while (is_patient && !audit_is_ready(audit, &sentence, &room->arena)) poll(NULL, 0, 10);
    submit_and_wait(audit, &teller, ++n);
    if (teller.n_ok != n_before + 1) return 7;
    if (!audit_is_ready(audit, &sentence, &room->arena)) return 8;
    audit_close(audit);
    struct audit_verified out;
    if (room_verify(room, &out) != FAIL_NONE) return 9;
    /* one more line says that two are missing */
    if (out.records != (uint64_t)teller.n_ok + 1) return 10;
    size_t len;
    char *bytes = room_read(room, "audit.jsonl", &len);
    bool is_told = strstr(bytes, "2 records were refused") != NULL;
    free(bytes);
    return is_told ? 0 : 11;
}

static void a_full_disk_is_told_and_recovers(void **state) {
    (void)state;
    for (int sync = AUDIT_EVERYSEC; sync <= AUDIT_ALWAYS; sync++) {
        struct room room;
        room_init(&room);
        room.settings.sync = sync;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) _exit(survive_full_disk(&room));
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
        room_deinit(&room);
    }
}

/* Opening on a full disk with something to record fails with a sentence, and no signal kills. */
static int open_on_full_disk(struct room *room) {
    struct rlimit limit = {0, 1 << 20};
    struct audit *audit;
    struct report report = {0};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    result r = audit_open(&room->settings, str_of(room->logs), str_of(room->state), &room->clock,
                          &audit, &report);
    return r.why == FAIL_IO && report.sentence[0] != '\0' && audit == NULL ? 0 : 2;
}

static void opening_on_a_full_disk_is_an_error(void **state) {
    (void)state;
    struct room room;
    room_init(&room);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) _exit(open_on_full_disk(&room));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    room_deinit(&room);
}

/* A head that cannot be written refuses no record, and is told; the writer looks once a second. */
static void an_unwritable_head_is_told(void **state) {
    (void)state;
    struct room room;
    struct teller teller;
    struct str sentence;
    struct audit_head head = {.day = 0};
    char path[512];
    room_init(&room);
    struct audit *audit = open_audit(&room);
    teller_init(&teller);
    snprintf(path, sizeof path, "%s/audit.head.new", room.state);
    assert_int_equal(mkdir(path, 0700), 0);
    submit_and_wait(audit, &teller, 1);
    assert_int_equal(teller.n_ok, 1);
    while (audit_is_ready(audit, &sentence, &room.arena)) poll(NULL, 0, 10);
    assert_true(str_starts(sentence, STR("the audit head cannot be written")));
    assert_int_equal(rmdir(path), 0);
    while (!audit_is_ready(audit, &sentence, &room.arena)) poll(NULL, 0, 10);
    int dir = open(room.state, O_RDONLY | O_DIRECTORY);
    assert_int_equal(audit_head_read(dir, STR("audit"), &head, NULL).why, FAIL_NONE);
    assert_int_equal(head.last.seq, 1);
    close(dir);
    audit_close(audit);
    room_assert_sound(&room, 1);
    room_deinit(&room);
}

/* -- kill ------------------------------------------------------------------------------------- */

/* Each acknowledged id goes through a pipe, which outlives the process that is killed. */
struct note {
    int fd;
    int id;
};

static void acknowledge(void *with, result how) {
    struct note *note = with;
    if (how.why == FAIL_NONE && write(note->fd, &note->id, sizeof note->id) < 0) _exit(1);
}

enum { KILL_RECORDS = 200000 };

static void submit_until_killed(struct room *room, int fd) {
    struct audit *audit = open_audit(room);
    struct note *notes = calloc(KILL_RECORDS, sizeof *notes);
    for (int i = 0; notes != NULL && i < KILL_RECORDS; i++) {
        char id[16];
        notes[i] = (struct note){fd, i};
        snprintf(id, sizeof id, "k%d", i);
        struct audit_record record = room_record(id);
        while (audit_submit(audit, &record, acknowledge, &notes[i]).why != FAIL_NONE) sched_yield();
    }
    _exit(1);
}

/* Reads acknowledgements until there were `enough`, kills, and reads the rest. Returns how many;
 * they come in order, so that is the last id plus one. */
static int kill_under_load(pid_t child, int fd, int enough) {
    int n = 0, id;
    while (read(fd, &id, sizeof id) == sizeof id) {
        assert_int_equal(id, n);
        if (++n == enough) kill(child, SIGKILL);
    }
    return n;
}

static bool count_killed(struct str line, void *with) {
    int *n = with;
    char id[16];
    int len = snprintf(id, sizeof id, "k%d", *n);
    if (str_eq(audit_line_text(line, STR("audit_id")), (struct str){id, (size_t)len})) (*n)++;
    return true;
}

static void kill_9_loses_no_acknowledged_record(void **state) {
    (void)state;
    static const struct {
        int sync, enough;
    } cases[] = {{AUDIT_EVERYSEC, 1},
                 {AUDIT_EVERYSEC, 700},
                 {AUDIT_EVERYSEC, 3000},
                 {AUDIT_ALWAYS, 1},
                 {AUDIT_ALWAYS, 500}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct room room;
        int ends[2], found = 0;
        room_init(&room);
        room.settings.sync = cases[i].sync;
        assert_int_equal(pipe(ends), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            submit_until_killed(&room, ends[1]);
        }
        close(ends[1]);
        int acknowledged = kill_under_load(child, ends[0], cases[i].enough);
        close(ends[0]);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_true(acknowledged >= cases[i].enough);
        /* the next process goes on, and what it finds is whole */
        audit_close(open_audit(&room));
        struct audit_verified out;
        assert_int_equal(room_verify(&room, &out), FAIL_NONE);
        struct audit_query all = {.last = 0};
        assert_int_equal(
            audit_search(str_of(room.logs), room.settings.file, &all, count_killed, &found, NULL)
                .why,
            FAIL_NONE);
        assert_true(found >= acknowledged);
        room_deinit(&room);
    }
}

static void opening_fails_whole_at_any_fault(void **state) {
    (void)state;
    for (long n = 0;; n++) {
        struct room room;
        struct audit *audit;
        struct report report = {0};
        room_init(&room);
        fault_set(n);
        result r = audit_open(&room.settings, str_of(room.logs), str_of(room.state), &room.clock,
                              &audit, &report);
        bool is_done = fault_unused();
        fault_off();
        assert_true((audit != NULL) == (r.why == FAIL_NONE));
        audit_close(audit);
        room_deinit(&room);
        if (is_done) {
            assert_true(n > 3);
            break;
        }
        if (r.why != FAIL_NONE) assert_true(report.sentence[0] != '\0');
    }
}

static void settings_have_their_defaults(void **state) {
    (void)state;
    struct audit_settings settings;
    memset(&settings, 0xff, sizeof settings);
    option_defaults(audit_options, &settings);
    assert_int_equal(settings.sync, AUDIT_EVERYSEC);
    assert_true(str_eq(settings.file, STR("audit.jsonl")));
    assert_int_equal(settings.queue_bytes, 16 << 20);
    assert_int_equal(settings.keep_days, 0);
    assert_int_equal(
        option_set(option_find(audit_options, STR("sync")), &settings, STR("always"), NULL, NULL)
            .why,
        FAIL_NONE);
    assert_int_equal(settings.sync, AUDIT_ALWAYS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_there_when_it_is_acknowledged),
        cmocka_unit_test(many_threads_keep_their_order),
        cmocka_unit_test(a_full_queue_is_busy),
        cmocka_unit_test(closing_writes_what_waits),
        cmocka_unit_test(a_full_disk_is_told_and_recovers),
        cmocka_unit_test(opening_on_a_full_disk_is_an_error),
        cmocka_unit_test(an_unwritable_head_is_told),
        cmocka_unit_test(kill_9_loses_no_acknowledged_record),
        cmocka_unit_test(opening_fails_whole_at_any_fault),
        cmocka_unit_test(settings_have_their_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
