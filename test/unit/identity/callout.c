/* A service and a program of one's own that know whose a request is. The program is this one,
 * started with a word that says how it behaves. */
#include "asker.h"

#include "base/fault.h"
#include "identity/callout_process.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* -- the program ------------------------------------------------------------------------------ */

static char program[PATH_MAX];

static int count_descriptors(void) {
    int n = 0;
    DIR *dir = opendir("/proc/self/fd");
    while (dir != NULL && readdir(dir) != NULL) n++;
    if (dir != NULL) closedir(dir);
    return n - 3; /* ".", "..", the directory itself */
}

/* The id is behind the first three quotes: {"id":"…" */
static void say_line(const char *line, const char *rest) {
    printf("{\"id\":\"%.32s\",%s\n", line + 7, rest);
    fflush(stdout);
}

static int be_program(const char *word) {
    static char line[1 << 16];
    bool is_first = true;
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (strcmp(word, "dies") == 0) return 1;
        if (strcmp(word, "silent") == 0) continue;
        if (strcmp(word, "once") == 0 && !is_first) return 0;
        is_first = false;
        if (strcmp(word, "chatty") == 0) printf("hello\n");
        if (strcmp(word, "other") == 0)
            printf("{\"id\":\"x\",\"active\":true,\"user_id\":\"ann\"}\n");
        else if (strcmp(word, "huge") == 0)
            for (int i = 0; i < 100000; i++) putchar('x');
        else if (strcmp(word, "bare") == 0 && (getenv("WEIR_TEST") || count_descriptors() != 3))
            say_line(line, "\"active\":false}");
        else
            say_line(line, strstr(line, "\"x-session\":\"ann") == NULL
                               ? "\"active\":false}"
                               : "\"active\":true,\"user_id\":\"ann\"}");
        fflush(stdout);
    }
    return 0;
}

/* -- set-up ----------------------------------------------------------------------------------- */

static struct str headers[2];
static struct str command[2];

static void use_headers(size_t n) {
    headers[0] = STR("X-Session");
    headers[1] = STR("Authorization");
    settings.callout.headers = (struct option_list){headers, n, true};
}

static void begin_service(void) {
    begin();
    token_header[0] = '\0';
    settings.callout.url = url("/who");
    use_headers(1);
    assert_int_equal(load().why, FAIL_NONE);
}

static void begin_program(const char *word) {
    begin();
    token_header[0] = '\0';
    command[0] = str_of(program);
    command[1] = str_of(word);
    settings.callout.command = (struct option_list){command, 2, true};
    settings.callout.timeout_ms = 20000;
    use_headers(1);
    assert_int_equal(load().why, FAIL_NONE);
}

static enum fail come_with(const char *session, bool may_wait) {
    own_header = session;
    report_clear(&report);
    enum fail why = identify_by(&arena, may_wait, &who, &report);
    own_header = NULL;
    return why;
}

/* -- the service ------------------------------------------------------------------------------ */

static void test_service(void **unused) {
    (void)unused;
    begin_service();
    settings.callout.secret = STR("between us");
    issuer_says(200, "{\"active\":true,\"user_id\":\"ann\",\"client_id\":\"ide\",\"roles\":"
                     "[\"writer\"],\"scopes\":[\"a\"],\"attributes\":{\"region\":[\"n\",\"s\"]},"
                     "\"ttl_s\":30,\"more\":1}");
    assert_int_equal(come_with("s1", false), FAIL_WAIT);
    assert_int_equal(come_with("s1", true), FAIL_NONE);
    assert_true(str_eq(who.user_id, STR("ann")));
    assert_true(str_eq(who.client_id, STR("ide")));
    assert_true(str_eq(who.auth_method, STR("callout")));
    assert_true(principal_has_role(&who, STR("writer")));
    assert_true(principal_has_role(&who, STR("reader"))); /* of enterprise.yaml */
    assert_int_equal(principal_attribute(&who, STR("region"))->n_values, 2);
    assert_true(who.scopes.is_set && who.scopes.n == 1);
    assert_non_null(strstr(issuer.asked, "POST /who\n"));
    assert_non_null(strstr(issuer.asked, "Authorization: Bearer between us\n"));
    assert_non_null(strstr(issuer.asked, "\"method\":\"POST\",\"path\":\"/mcp\",\"peer\":"
                                         "\"10.0.0.7\",\"headers\":{\"x-session\":\"s1\"}}"));
    clock_move(&clock_now, 29999);
    assert_int_equal(come_with("s1", false), FAIL_NONE);
    assert_int_equal(come_with("s2", false), FAIL_WAIT);
    clock_move(&clock_now, 1);
    assert_int_equal(come_with("s1", false), FAIL_WAIT);
    assert_int_equal(issuer.n_asked, 1);
    end();
}

static void test_answers(void **unused) {
    static const struct {
        int status;
        const char *says, *code; /* NULL: ann */
    } cases[] = {
        {200, "{\"active\":true,\"user_id\":\"ann\"}", NULL},
        {200, "{\"active\":true,\"user_id\":\"ann\",\"roles\":[],\"ttl_s\":0}", NULL},
        {200, "{\"active\":false}", "AUTH_INVALID_TOKEN"},
        {200, "{\"active\":false,\"user_id\":\"ann\"}", "AUTH_INVALID_TOKEN"},
        {200, "{\"active\":true,\"user_id\":\"bob\"}", "AUTH_INVALID_TOKEN"},
        {200, "{\"active\":true}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":\"true\",\"user_id\":\"ann\"}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":true,\"user_id\":\"\"}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":true,\"user_id\":7}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":true,\"user_id\":\"ann\",\"roles\":\"a\"}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":true,\"user_id\":\"ann\",\"roles\":[1]}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":true,\"user_id\":\"ann\",\"scopes\":{}}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":true,\"user_id\":\"ann\",\"attributes\":[]}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":true,\"user_id\":\"ann\",\"attributes\":{\"a\":\"b\"}}",
         "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":true,\"user_id\":\"ann\",\"ttl_s\":-1}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":true,\"user_id\":\"ann\",\"ttl_s\":\"1\"}", "ISSUER_UNAVAILABLE"},
        {200, "{\"active\":true,\"user_id\":\"ann\",\"user_id\":\"bob\"}", "ISSUER_UNAVAILABLE"},
        {200, "true", "ISSUER_UNAVAILABLE"},
        {200, "", "ISSUER_UNAVAILABLE"},
        {401, "{\"active\":true,\"user_id\":\"ann\"}", "ISSUER_UNAVAILABLE"},
        {500, "{\"active\":true,\"user_id\":\"ann\"}", "ISSUER_UNAVAILABLE"},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin_service();
        issuer_says(cases[i].status, cases[i].says);
        enum fail why = come_with("s", true);
        bool is_right = cases[i].code == NULL
                            ? why == FAIL_NONE && str_eq(who.user_id, STR("ann"))
                            : why != FAIL_NONE && strcmp(report.code, cases[i].code) == 0;
        if (!is_right) fail_msg("%zu: %s: %s", i, cases[i].says, report.sentence);
        if (why != FAIL_NONE) assert_int_equal(who.user_id.len, 0);
        end();
    }
}

/* Whose a request is, when it shows more than one thing. */
static void test_beside(void **unused) {
    (void)unused;
    begin_service();
    issuer_says(200, "{\"active\":true,\"user_id\":\"ann\"}");
    snprintf(token_header, sizeof token_header, "Bearer ours-and-nobody-elses");
    assert_int_equal(come_with("s", true), FAIL_DENIED); /* two credentials */
    assert_int_equal(come_with(NULL, true), FAIL_NONE);  /* the token alone is auth.yaml's */
    assert_true(str_eq(who.user_id, STR("carl")));
    snprintf(token_header, sizeof token_header, "Bearer strange");
    assert_int_equal(come_with(NULL, true), FAIL_DENIED);
    assert_int_equal(issuer.n_asked, 0); /* Authorization is none of its headers */
    use_headers(2);
    assert_int_equal(come_with(NULL, true), FAIL_NONE); /* now it is */
    assert_true(str_eq(who.user_id, STR("ann")));
    assert_non_null(strstr(issuer.asked, "\"authorization\":\"Bearer strange\""));
    token_header[0] = '\0';
    assert_int_equal(come_with(NULL, true), FAIL_DENIED);
    assert_string_equal(report.code, "AUTH_REQUIRED");
    end();
}

static void test_load(void **unused) {
    static const struct {
        const char *url, *command;
        size_t n_headers;
        bool is_good;
    } cases[] = {
        {"http://127.0.0.1:1/", "", 1, true},
        {"", "/bin/true", 2, true},
        {"", "", 1, true},
        /* off */ {"http://127.0.0.1:1/", "/bin/true", 1, false},
        {"http://who.example/", "", 1, false},
        {"", "true", 1, false},
        {"https://who.example/", "", 0, false},
    };
    (void)unused;
    for (size_t i = 0; i < COUNT(cases); i++) {
        begin();
        settings.callout.url = str_of(cases[i].url);
        command[0] = str_of(cases[i].command);
        settings.callout.command = (struct option_list){command, command[0].len > 0 ? 1 : 0, true};
        use_headers(cases[i].n_headers);
        if ((load().why == FAIL_NONE) != cases[i].is_good) fail_msg("%zu", i);
        end();
    }
    begin();
    settings.callout.url = url("/who");
    use_headers(1);
    headers[0] = STR("X Session");
    assert_int_equal(load().why, FAIL_CONFIG);
    end();
}

/* -- the program ------------------------------------------------------------------------------ */

static void test_program(void **unused) {
    (void)unused;
    begin_program("good");
    for (int i = 0; i < 20; i++) { /* over one process: a new one takes longer than all of these */
        assert_int_equal(come_with("ann", true), FAIL_NONE);
        assert_true(str_eq(who.user_id, STR("ann")));
    }
    assert_int_equal(come_with("bob", true), FAIL_DENIED);
    assert_int_equal(come_with("bob", false), FAIL_DENIED); /* a no is kept */
    end();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left behind */
}

/* Nothing of ours goes to it but the question. */
static void test_bare(void **unused) {
    (void)unused;
    setenv("WEIR_TEST", "a secret", 1);
    begin_program("bare");
    assert_int_equal(come_with("ann", true), FAIL_NONE);
    unsetenv("WEIR_TEST");
    end();
}

/* Whatever it does wrong, nobody comes in, and it is gone. */
static void test_bad_programs(void **unused) {
    static const char *const words[] = {"dies", "chatty", "other", "huge", "silent"};
    (void)unused;
    for (size_t i = 0; i < COUNT(words); i++) {
        begin_program(words[i]);
        settings.callout.timeout_ms = strcmp(words[i], "silent") == 0 ? 100 : 20000;
        assert_int_equal(come_with("ann", true), FAIL_IO);
        assert_string_equal(report.code, "ISSUER_UNAVAILABLE");
        assert_int_equal(who.user_id.len, 0);
        end();
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    }
    begin_program("good");
    command[0] = STR("/nothing/is/here");
    assert_int_equal(come_with("ann", true), FAIL_IO);
    end();
}

/* One that ended is started anew, after a pause. */
static void test_restart(void **unused) {
    (void)unused;
    begin_program("once");
    assert_int_equal(come_with("ann", true), FAIL_NONE);
    assert_int_equal(come_with("ann", true), FAIL_IO); /* it ends */
    assert_int_equal(come_with("ann", true), FAIL_IO); /* too soon */
    clock_move(&clock_now, ANSWERS_FAILED_MS);
    assert_int_equal(come_with("ann", true), FAIL_NONE);
    end();
}

/* A reload with another command ends the program of the one before. */
static void test_other_command(void **unused) {
    (void)unused;
    begin_program("dies");
    assert_int_equal(come_with("ann", true), FAIL_IO);
    command[1] = STR("good");
    assert_int_equal(come_with("ann", true), FAIL_NONE); /* its pause is not this one's */
    end();
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

enum { CROWD = 6 };

static void *come(void *arg) {
    struct arena of_call;
    struct str answer;
    char line[64];
    arena_init(&of_call, (size_t)MIB);
    snprintf(line, sizeof line, "{\"id\":\"%032d\",\"x-session\":\"ann\"}", *(int *)arg);
    const struct callout_line ask = {&settings.callout.command, 2, 20000, str_of(line)};
    bool is_good =
        callout_pool_ask(state->callouts, &ask, &of_call, &answer, NULL).why == FAIL_NONE &&
        str_find(answer, str_slice(str_of(line), 0, 41)) == 0; /* my answer, nobody else's */
    arena_deinit(&of_call);
    return is_good ? arg : NULL;
}

/* More callers than processes: each gets his own answer. */
static void test_crowd(void **unused) {
    pthread_t threads[CROWD];
    int numbers[CROWD];
    (void)unused;
    begin_program("good");
    for (int i = 0; i < CROWD; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, come, &numbers[i]), 0);
    }
    for (int i = 0; i < CROWD; i++) {
        void *good;
        pthread_join(threads[i], &good);
        assert_non_null(good);
    }
    end();
}

static void test_faults(void **unused) {
    long n = 0;
    (void)unused;
    begin_program("good");
    for (;; n++) {
        struct arena of_call;
        struct identity_state *fresh = state;
        assert_int_equal(identity_state_new(NULL, &clock_now, &state, NULL).why, FAIL_NONE);
        arena_init(&of_call, (size_t)MIB);
        own_header = "ann";
        report_clear(&report);
        fault_set(n);
        enum fail why = identify_by(&of_call, true, &who, &report);
        bool is_unused = fault_unused();
        fault_off();
        own_header = NULL;
        if (is_unused) assert_int_equal(why, FAIL_NONE);
        if (why != FAIL_NONE) assert_int_equal(who.user_id.len, 0);
        if (why != FAIL_NONE && why != FAIL_MEMORY && why != FAIL_IO && why != FAIL_BUSY)
            fail_msg("%ld: %s", n, report.sentence);
        arena_deinit(&of_call);
        identity_state_free(fresh);
        if (is_unused) break;
    }
    assert_true(n > 15);
    end();
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_service),       cmocka_unit_test(test_answers),
        cmocka_unit_test(test_beside),        cmocka_unit_test(test_load),
        cmocka_unit_test(test_program),       cmocka_unit_test(test_bare),
        cmocka_unit_test(test_bad_programs),  cmocka_unit_test(test_restart),
        cmocka_unit_test(test_other_command), cmocka_unit_test(test_crowd),
        cmocka_unit_test(test_faults),
    };
    if (argc == 2) return be_program(argv[1]);
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n <= 0) return 1;
    asker_start();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    far_end(&issuer.far);
    return failed;
}
