/*
 * A PostgreSQL 15 of a test's own: a cluster in a temporary directory, a server on a socket in it
 * and nowhere else, ended by its pid and removed. Who is root lends it the uid of nobody. Its
 * default collation is one of ICU, so that whoever relies on the order of bytes must say so.
 */
#ifndef TEST_PG_SERVER_H
#define TEST_PG_SERVER_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define PG_BIN "/usr/lib/postgresql/15/bin/"

enum { PG_NOBODY = 65534, PG_WAIT_ROUNDS = 600 };

struct pg_server {
    char dir[512];
    pid_t pid;
};

/* Runs one of the programs in the server's name; its words go to the file `log`. */
static inline pid_t pg_start(const struct pg_server *server, const char *const argv[]) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0) return pid;
    char log[600];
    (void)snprintf(log, sizeof log, "%s/log", server->dir);
    if (chdir(server->dir) != 0) _exit(125);
    if (geteuid() == 0 && (setgid(PG_NOBODY) != 0 || setuid(PG_NOBODY) != 0)) _exit(126);
    (void)prctl(PR_SET_PDEATHSIG, SIGINT);
    int file = open(log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (file >= 0) (void)dup2(file, 1);
    if (file >= 0) (void)dup2(file, 2);
    (void)execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static inline int pg_remove_one(const char *path, const struct stat *info, int kind,
                                struct FTW *place) {
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void pg_server_close(struct pg_server *server) {
    if (server->pid > 0) {
        (void)kill(server->pid, SIGINT);
        (void)waitpid(server->pid, NULL, 0);
    }
    (void)nftw(server->dir, pg_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline PGconn *pg_connect_to(const struct pg_server *server, const char *database) {
    char text[700];
    (void)snprintf(text, sizeof text,
                   "host='%s' port=5432 user=weir dbname=%s client_encoding=UTF8", server->dir,
                   database);
    for (int i = 0; i < PG_WAIT_ROUNDS && PQping(text) != PQPING_OK; i++)
        (void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    return PQconnectdb(text);
}

static inline PGconn *pg_connect(const struct pg_server *server) {
    return pg_connect_to(server, "postgres");
}

static inline void pg_server_open(struct pg_server *server) {
    static const char *const init[] = {PG_BIN "initdb",
                                       "-D",
                                       "data",
                                       "-E",
                                       "UTF8",
                                       "-A",
                                       "trust",
                                       "-U",
                                       "weir",
                                       "--no-sync",
                                       "--locale=C.UTF-8",
                                       "--locale-provider=icu",
                                       "--icu-locale=en",
                                       NULL};
    const char *temporary = getenv("TMPDIR");
    int status = 1;
    *server = (struct pg_server){0};
    if (access(PG_BIN "initdb", X_OK) != 0) {
        print_error("PostgreSQL 15 is not installed: run script/bootstrap test\n");
        assert_true(false);
    }
    (void)snprintf(server->dir, sizeof server->dir, "%s/weir-pg-XXXXXX",
                   temporary != NULL ? temporary : "/tmp");
    assert_non_null(mkdtemp(server->dir));
    if (geteuid() == 0) assert_int_equal(chown(server->dir, PG_NOBODY, PG_NOBODY), 0);
    assert_true(waitpid(pg_start(server, init), &status, 0) > 0);
    if (status != 0) print_error("initdb failed in %s\n", server->dir);
    assert_int_equal(status, 0);
    const char *const run[] = {PG_BIN "postgres",   "-D", "data",      "-c",
                               "listen_addresses=", "-c", "fsync=off", "-k",
                               server->dir,         "-p", "5432",      NULL};
    server->pid = pg_start(server, run);
}

#endif
