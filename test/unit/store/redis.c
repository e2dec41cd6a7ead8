/* A real Redis that is locked, under TLS, slow, killed and back again. */
#include "base/fault.h"
#include "room.h"

#include <pthread.h>

/* A room whose Redis is its own, in the room's directory. */
struct own {
    struct room room;
    struct redis_server_of_test server;
    char dir[64];
};

static void come_as(struct own *own, const char *scheme, const char *person) {
    snprintf(own->room.url, sizeof own->room.url, "%s://%s127.0.0.1:%d/1", scheme, person,
             own->server.port);
    own->room.settings.redis_url = str_of(own->room.url);
}

static void own_make(struct own *own, const char *const *args, const char *port_word) {
    memset(own, 0, sizeof *own);
    room_make(&own->room, STORE_MEMORY);
    own->room.settings.kind = STORE_REDIS;
    room_dir(own->dir, sizeof own->dir);
    redis_start(&own->server, own->dir, args, port_word);
    come_as(own, "redis", "");
}

static void own_end(struct own *own) {
    redis_end(&own->server, SIGKILL);
    room_end(&own->room);
    char aof[96];
    snprintf(aof, sizeof aof, "%s/appendonlydir", own->dir);
    room_empty(aof);
    room_empty(own->dir);
}

static void own_start_again(struct own *own) {
    while (!redis_start_there(&own->server)) {
    }
}

/* A word or a few to the server itself, beside the store. */
static void tell(const struct own *own, const char *words) {
    char answer[64];
    int fd = redis_try_connect(own->server.port);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, words, strlen(words)), (ssize_t)strlen(words));
    assert_int_equal(write(fd, "\r\n", 2), 2);
    assert_true(read(fd, answer, sizeof answer) > 0);
    assert_int_equal(answer[0], '+');
    close(fd);
}

static void expect_refusal(struct own *own, const char *says) {
    struct report report = {0};
    struct store *store;
    struct room *room = &own->room;
    result r = store_open(&room->settings, str_of(room->dir), &room->clock, &store, &report);
    if (r.why == FAIL_NONE || strstr(report.sentence, says) == NULL)
        print_error("expected '%s': %s\n", says, report.sentence);
    assert_int_not_equal(r.why, FAIL_NONE);
    assert_null(store);
    assert_non_null(strstr(report.sentence, says));
    assert_null(strstr(report.sentence, "hidden"));
}

static void expect_open(struct own *own) {
    room_open(&own->room);
    assert_true(store_is_shared(own->room.store));
    uint64_t version = put(&own->room, "a", "b", MINUTE);
    assert_int_equal(get(&own->room, "a").version, version);
    store_close(own->room.store);
    own->room.store = NULL;
}

/* -- who may come in -------------------------------------------------------------------------- */

static void a_password_is_wanted(void **state) {
    (void)state;
    static const char *const args[] = {"--requirepass", "hidden", NULL};
    struct own own;
    own_make(&own, args, "--port");
    expect_refusal(&own, "names none");
    come_as(&own, "redis", ":hiddenagain@");
    expect_refusal(&own, "does not know this user");
    come_as(&own, "redis", ":hidden@");
    expect_open(&own);
    own_end(&own);
}

static void a_user_may_what_the_store_needs(void **state) {
    (void)state;
    static const char *const rights[] = {
        ("~{weir}:* -@all +@hash +@list +@sortedset +@scripting +unlink +time +select"),
        "~other:* +@all",
        "~{weir}:* +@all -unlink",
    };
    static const char *const says[] = {NULL, "may not run", "may not run"};
    for (size_t i = 0; i < COUNT(rights); i++) {
        struct own own;
        char line[256];
        own_make(&own, NULL, "--port");
        snprintf(line, sizeof line, "ACL SETUSER weir on >hidden %s", rights[i]);
        tell(&own, line);
        come_as(&own, "redis", "weir:hidden@");
        if (says[i] == NULL)
            expect_open(&own);
        else
            expect_refusal(&own, says[i]);
        come_as(&own, "redis", "weir:hiddenagain@");
        expect_refusal(&own, "does not know this user");
        own_end(&own);
    }
}

/* -- TLS -------------------------------------------------------------------------------------- */

static void make_certificate(const char *dir, const char *name, const char *host) {
    char line[512];
    snprintf(line, sizeof line,
             "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
             "-keyout %s/%s.key -out %s/%s.pem -subj /CN=weir -addext subjectAltName=%s "
             "2>/dev/null",
             dir, name, dir, name, host);
    assert_int_equal(system(line), 0);
}

struct files {
    char dir[64], pem[4][96], key[4][96];
};

/* One of this host, one of another, one that nobody signed for us. */
static void make_files(struct files *files) {
    static const char *const names[] = {"ours", "other", "foreign", "client"};
    static const char *const hosts[] = {"IP:127.0.0.1", "DNS:other.example", "IP:127.0.0.1",
                                        "DNS:client.example"};
    room_dir(files->dir, sizeof files->dir);
    for (size_t i = 0; i < COUNT(names); i++) {
        make_certificate(files->dir, names[i], hosts[i]);
        snprintf(files->pem[i], sizeof files->pem[i], "%s/%s.pem", files->dir, names[i]);
        snprintf(files->key[i], sizeof files->key[i], "%s/%s.key", files->dir, names[i]);
    }
}

static void tls_start(struct own *own, const struct files *files, size_t which, bool asks_us) {
    const char *args[] = {"--tls-cert-file",
                          files->pem[which],
                          "--tls-key-file",
                          files->key[which],
                          "--tls-ca-cert-file",
                          files->pem[3],
                          "--tls-auth-clients",
                          asks_us ? "yes" : "no",
                          "--port",
                          "0",
                          NULL};
    own_make(own, args, "--tls-port");
    own->server.args = NULL; /* they end with this function; it is not started again */
    come_as(own, "rediss", "");
    own->room.settings.redis_tls.ca = str_of(files->pem[0]);
}

static void a_certificate_must_hold(void **state) {
    (void)state;
    struct files files;
    struct own own;
    make_files(&files);

    tls_start(&own, &files, 0, false);
    expect_open(&own);
    struct store_item large = {STR("large"), {calloc(1, 3 * MIB), 3 * MIB}, MINUTE};
    room_open(&own.room);
    must(store_put(own.room.store, &large, NULL, &own.room.report)); /* many records long */
    assert_true(str_eq(get(&own.room, "large").bytes, large.value));
    free((void *)(uintptr_t)large.value.ptr);
    store_close(own.room.store);
    own.room.store = NULL;
    own.room.settings.redis_tls.ca = STR_NONE;
    expect_refusal(&own, "does not hold"); /* the system knows nothing of it */
    own.room.settings.redis_tls.ca = STR("/nowhere/ca.pem");
    expect_refusal(&own, "redis_ca_file");
    come_as(&own, "redis", "");
    expect_refusal(&own, "ended the connection"); /* in the clear, to one that speaks TLS */
    own_end(&own);

    tls_start(&own, &files, 1, false);
    own.room.settings.redis_tls.ca = str_of(files.pem[1]);
    expect_refusal(&own, "does not hold"); /* signed, but of another host */
    own_end(&own);

    tls_start(&own, &files, 2, false);
    expect_refusal(&own, "does not hold");
    own_end(&own);

    tls_start(&own, &files, 0, true);
    expect_refusal(&own, "");
    own.room.settings.redis_tls.certificate = str_of(files.pem[3]);
    own.room.settings.redis_tls.key = str_of(files.key[2]);
    expect_refusal(&own, "redis_key_file");
    own.room.settings.redis_tls.key = str_of(files.key[3]);
    expect_open(&own);
    own_end(&own);
    room_empty(files.dir);
}

/* One that speaks in the clear where TLS is wanted. */
static void tls_is_not_given_up(void **state) {
    (void)state;
    struct own own;
    own_make(&own, NULL, "--port");
    own.room.settings.wait_ms = 100;
    come_as(&own, "rediss", "");
    expect_refusal(&own, "did not answer to TLS");
    own_end(&own);
}

/* -- away and back ---------------------------------------------------------------------------- */

static void expect_away(struct own *own, const char *says) {
    struct room *room = &own->room;
    struct report report = {0};
    struct str sentence;
    struct store_item it = item("down", "x", MINUTE);
    uint64_t version;
    assert_int_equal(store_put_new(room->store, &it, &version, &report).why, FAIL_IO);
    assert_int_equal(version, STORE_ABSENT);
    assert_string_equal(report.code, "STORE_UNAVAILABLE");
    if (strstr(report.sentence, says) == NULL) print_error("%s\n", report.sentence);
    assert_non_null(strstr(report.sentence, says));
    assert_false(store_is_ready(room->store, &sentence, &room->arena));
    assert_true(str_find(sentence, str_of(says)) < sentence.len);
}

static void expect_back(struct own *own) {
    struct str sentence;
    store_tick(own->room.store);
    assert_true(store_is_ready(own->room.store, &sentence, &own->room.arena));
}

/* What was answered outlives a kill; with everysec it need not, while a sync is under way. */
static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

/* Connections that went idle and were cut are replaced, and nobody hears of it. */
static void a_restart_between_steps_is_not_felt(void **state) {
    (void)state;
    struct own own;
    own_make(&own, durable, "--port");
    room_open(&own.room);
    uint64_t version = put_new(&own.room, "nonce", "used", MINUTE);
    append(&own.room, "log", "e");
    for (int i = 0; i < 3; i++) {
        redis_end(&own.server, SIGKILL);
        own_start_again(&own);
        assert_int_equal(put_new(&own.room, "nonce", "again", MINUTE), STORE_ABSENT);
        assert_int_equal(get(&own.room, "nonce").version, version);
        assert_int_equal(append(&own.room, "log", "e"), (uint64_t)i + 2);
        expect_back(&own);
    }
    own_end(&own);
}

static void while_it_is_away_all_is_refused(void **state) {
    (void)state;
    struct own own;
    own_make(&own, durable, "--port");
    room_open(&own.room);
    put_new(&own.room, "nonce", "used", MINUTE);
    redis_end(&own.server, SIGKILL);
    for (int i = 0; i < 5; i++) expect_away(&own, "Connection refused");
    store_tick(own.room.store);
    expect_away(&own, "Connection refused");
    own_start_again(&own);
    expect_back(&own);
    assert_int_equal(put_new(&own.room, "nonce", "again", MINUTE), STORE_ABSENT);
    assert_int_not_equal(put_new(&own.room, "down", "y", MINUTE), STORE_ABSENT);
    own_end(&own);
}

enum { REPLICAS = 3, NONCES = 300, KILLS = 5 };

struct replica {
    pthread_t thread;
    struct own *own;
    struct store *store;
    _Atomic int *n_asked;
    _Atomic int *claims; /* by nonce: how often somebody was told that it is good */
};

/* Who is not told the outcome asks again, as a client would: the nonce may be used by then. */
static void *use_nonces(void *with) {
    struct replica *replica = with;
    for (int i = 0; i < NONCES; i++) {
        char key[16];
        uint64_t version = STORE_ABSENT;
        snprintf(key, sizeof key, "nonce-%d", i);
        struct store_item it = item(key, "x", STORE_FOREVER);
        while (store_put_new(replica->store, &it, &version, NULL).why != FAIL_NONE)
            store_tick(replica->store);
        if (version != STORE_ABSENT) replica->claims[i]++;
        ++*replica->n_asked;
    }
    return NULL;
}

static void a_nonce_is_good_once_through_kills(void **state) {
    (void)state;
    static _Atomic int claims[NONCES];
    _Atomic int n_asked = 0;
    struct replica replicas[REPLICAS];
    struct own own;
    own_make(&own, durable, "--port");
    for (size_t i = 0; i < REPLICAS; i++) {
        replicas[i] = (struct replica){.own = &own, .n_asked = &n_asked, .claims = claims};
        must(store_open(&own.room.settings, str_of(own.room.dir), &own.room.clock,
                        &replicas[i].store, &own.room.report));
        assert_int_equal(pthread_create(&replicas[i].thread, NULL, use_nonces, &replicas[i]), 0);
    }
    for (int i = 1; i <= KILLS; i++) {
        while (n_asked < i * REPLICAS * NONCES / (KILLS + 1)) usleep(100);
        redis_end(&own.server, SIGKILL);
        own_start_again(&own);
    }
    int n_used = 0;
    for (size_t i = 0; i < REPLICAS; i++) pthread_join(replicas[i].thread, NULL);
    for (size_t i = 0; i < NONCES; i++) {
        assert_true(claims[i] <= 1);
        n_used += claims[i];
    }
    assert_true(n_used >= NONCES - KILLS * REPLICAS); /* those that nobody was told of */
    for (size_t i = 0; i < REPLICAS; i++) store_close(replicas[i].store);
    own_end(&own);
}

/* A server that hangs: the first waits for its deadline, and the next ones are told at once. */
static void a_slow_server_is_not_waited_for(void **state) {
    (void)state;
    struct own own;
    own_make(&own, NULL, "--port");
    own.room.settings.wait_ms = 100;
    room_open(&own.room);
    put(&own.room, "a", "1", MINUTE);
    kill(own.server.pid, SIGSTOP);
    expect_away(&own, "did not answer in time");
    for (int i = 0; i < 1000; i++) expect_away(&own, "did not answer in time"); /* not 100 s */
    kill(own.server.pid, SIGCONT);
    struct str sentence;
    for (int i = 0; i < 600; i++) { /* on a busy machine it may be late once more */
        store_tick(own.room.store);
        if (store_is_ready(own.room.store, &sentence, &own.room.arena)) break;
    }
    own.room.settings.wait_ms = STORE_WAIT_MS_MAX;
    assert_text(get(&own.room, "a").bytes, "1");
    own_end(&own);
}

static void a_server_that_takes_no_writes_is_told(void **state) {
    (void)state;
    struct own own;
    own_make(&own, NULL, "--port");
    room_open(&own.room);
    put(&own.room, "a", "1", MINUTE);
    tell(&own, "REPLICAOF 127.0.0.1 1");
    expect_away(&own, "is a replica");
    store_tick(own.room.store);
    expect_away(&own, "is a replica");
    tell(&own, "REPLICAOF NO ONE");
    expect_back(&own);
    tell(&own, "CONFIG SET maxmemory 1");
    expect_away(&own, "memory is full");
    tell(&own, "CONFIG SET maxmemory 0");
    expect_back(&own);
    tell(&own, "SCRIPT FLUSH"); /* they are sent whole again */
    assert_text(get(&own.room, "a").bytes, "1");
    own_end(&own);
}

/* Who held a lease before has lost it, though its name is taken anew. */
static void a_server_that_lost_all_gives_no_version_again(void **state) {
    (void)state;
    struct own own;
    own_make(&own, NULL, "--port");
    room_open(&own.room);
    uint64_t mine = 0;
    for (int i = 0; i < 20; i++) mine = put(&own.room, "lease", "us", MINUTE);
    tell(&own, "FLUSHALL");
    clock_move(&own.room.clock, 1);
    uint64_t theirs = put_new(&own.room, "lease", "them", MINUTE);
    assert_true(theirs > mine);
    assert_false(touch(&own.room, "lease", mine, MINUTE));
    assert_true(put(&own.room, "lease", "them", MINUTE) == theirs + 1);
    own_end(&own);
}

static void one_that_throws_out_keys_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *maxmemory, *policy;
        bool is_taken;
    } rows[] = {
        {"0", "allkeys-lru", true},      {"500mb", "allkeys-lru", false},
        {"500mb", "volatile-lru", true}, {"500mb", "allkeys-random", false},
        {"500mb", "noeviction", true},
    };
    struct own own;
    own_make(&own, NULL, "--port");
    for (size_t i = 0; i < COUNT(rows); i++) {
        char line[64];
        snprintf(line, sizeof line, "CONFIG SET maxmemory %s", rows[i].maxmemory);
        tell(&own, line);
        snprintf(line, sizeof line, "CONFIG SET maxmemory-policy %s", rows[i].policy);
        tell(&own, line);
        if (rows[i].is_taken)
            expect_open(&own);
        else
            expect_refusal(&own, "throws out keys");
    }
    own_end(&own);
}

/* -- time ------------------------------------------------------------------------------------- */

/* Redis' own time counts, whatever the replicas' clocks say: here one an hour ahead, one behind. */
static void clocks_need_not_agree(void **state) {
    (void)state;
    struct room room;
    room_make(&room, STORE_REDIS);
    struct store *ours;
    must(store_open(&room.settings, str_of(room.dir), &clock_real, &ours, &room.report));
    struct store_item it = item("nonce", "used", STORE_FOREVER);
    struct store_window window = {STR("w"), 1, 3600 * 1000};
    struct store_admission out;
    struct store_value value;
    uint64_t version;
    must(store_put_new(ours, &it, &version, &room.report));
    must(store_get(ours, it.key, &room.arena, &value, &room.report));
    assert_int_equal(value.expires_ms, STORE_FOREVER);
    it.ttl_ms = MINUTE;
    must(store_put(ours, &it, &version, &room.report));
    int64_t before = clock_wall_ms(&clock_real);
    must(store_get(ours, it.key, &room.arena, &value, &room.report));
    assert_true(value.expires_ms <= clock_wall_ms(&clock_real) + MINUTE);
    assert_true(value.expires_ms > before - MINUTE);
    must(store_admit(ours, &window, 1, &out, &room.report));
    assert_true(out.is_admitted);
    must(store_admit(ours, &window, 1, &out, &room.report));
    assert_false(out.is_admitted);
    assert_true(out.retry_after_ms > 0 && out.retry_after_ms <= window.window_ms);
    it = item("short", "x", 1);
    must(store_put(ours, &it, &version, &room.report));
    do must(store_get(ours, it.key, &room.arena, &value, &room.report));
    while (value.version != STORE_ABSENT);
    store_close(ours);
    room_end(&room);
}

/* The hash tag of the prefix keeps all keys on one node; of another node's we hear its address. */
static void a_node_of_a_cluster_holds_all_keys(void **state) {
    (void)state;
    char port[8];
    const char *args[] = {"--cluster-enabled", "yes", "--cluster-port", port, NULL};
    struct own own;
    struct store_admission out;
    const struct store_window windows[] = {{STR("a"), 1, MINUTE}, {STR("b"), 1, MINUTE}};
    snprintf(port, sizeof port, "%d", 30100 + getpid() % 2000);
    own_make(&own, args, "--port");
    snprintf(own.room.url, sizeof own.room.url, "redis://127.0.0.1:%d", own.server.port);
    own.room.settings.redis_url = str_of(own.room.url);
    expect_refusal(&own, "its cluster is down"); /* no slot is anybody's yet */
    tell(&own, "CLUSTER ADDSLOTSRANGE 0 16383");
    struct str sentence;
    while (store_open(&own.room.settings, STR_NONE, &own.room.clock, &own.room.store, NULL).why !=
           FAIL_NONE)
        usleep(10000); /* until it has heard of itself */
    put(&own.room, "a", "x", MINUTE);
    append(&own.room, "log", "e");
    must(store_admit(own.room.store, windows, 2, &out, &own.room.report));
    assert_true(out.is_admitted);
    assert_true(store_is_ready(own.room.store, &sentence, &own.room.arena));
    own_end(&own);
}

/* Two stores in one Redis have nothing in common but the server. */
static void prefixes_are_apart(void **state) {
    (void)state;
    struct room one, two;
    room_make(&one, STORE_REDIS);
    room_make(&two, STORE_REDIS);
    room_open(&one);
    room_open(&two);
    put(&one, "a", "x", MINUTE);
    assert_int_equal(get(&two, "a").version, STORE_ABSENT);
    assert_int_equal(usage(&two), 0);
    assert_int_equal(tide(&two), 0);
    room_end(&one);
    room_end(&two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_is_wanted),
        cmocka_unit_test(a_user_may_what_the_store_needs),
        cmocka_unit_test(a_certificate_must_hold),
        cmocka_unit_test(tls_is_not_given_up),
        cmocka_unit_test(a_restart_between_steps_is_not_felt),
        cmocka_unit_test(while_it_is_away_all_is_refused),
        cmocka_unit_test(a_nonce_is_good_once_through_kills),
        cmocka_unit_test(a_slow_server_is_not_waited_for),
        cmocka_unit_test(a_server_that_takes_no_writes_is_told),
        cmocka_unit_test(a_server_that_lost_all_gives_no_version_again),
        cmocka_unit_test(one_that_throws_out_keys_is_refused),
        cmocka_unit_test(clocks_need_not_agree),
        cmocka_unit_test(a_node_of_a_cluster_holds_all_keys),
        cmocka_unit_test(prefixes_are_apart),
    };
    if (redis_is_installed()) return cmocka_run_group_tests(tests, NULL, NULL);
    print_message("skipped: redis-server is not installed\n");
    return 77; /* meson's word for it */
}
