/*
 * redis_server.h - a real Redis for a test, on a port and in a directory of its own
 *
 * It is ended by the id that it was started with, and ends by itself with the test's process.
 */
#ifndef WEIR_TEST_STORE_REDIS_SERVER_H
#define WEIR_TEST_STORE_REDIS_SERVER_H

#include "base/fail.h" /* before cmocka.h, which has a macro of that name */

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct redis_server_of_test {
    pid_t pid;
    int port;
    const char *dir;
    const char *const *args; /* more of them; ends with NULL */
    const char *port_word;   /* "--port", "--tls-port" */
};

static inline bool redis_is_installed(void) {
    return access("/usr/bin/redis-server", X_OK) == 0;
}

static inline int redis_try_connect(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) == 0) return fd;
    close(fd);
    return -1;
}

static inline _Noreturn void redis_exec(const struct redis_server_of_test *server) {
    char port[8];
    const char *argv[40] = {"redis-server", server->port_word, port,        "--bind",
                            "127.0.0.1",    "--save",          "",          "--dir",
                            server->dir,    "--logfile",       "redis.log", "--loglevel",
                            "warning",      "--databases",     "4"};
    size_t n = 15;
    snprintf(port, sizeof port, "%d", server->port);
    for (size_t i = 0; server->args != NULL && server->args[i] != NULL; i++)
        argv[n++] = server->args[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execv("/usr/bin/redis-server", (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* It listens before it has read what it saved. */
static inline void redis_wait_loaded(const struct redis_server_of_test *server) {
    char answer[16] = "-LOADING";
    while (strcmp(server->port_word, "--port") == 0 && memcmp(answer, "-LOADING", 8) == 0) {
        int fd = redis_try_connect(server->port);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "PING\r\n", 6), 6);
        assert_true(read(fd, answer, sizeof answer) >= 5);
        close(fd);
    }
}

/* On server->port: false where it ended instead, for that port is taken. */
static inline bool redis_start_there(struct redis_server_of_test *server) {
    int status, fd = redis_try_connect(server->port);
    if (fd >= 0) {
        close(fd);
        return false;
    }
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) redis_exec(server);
    while ((fd = redis_try_connect(server->port)) < 0) {
        if (waitpid(server->pid, &status, WNOHANG) == server->pid) return false;
        usleep(2000);
    }
    close(fd);
    redis_wait_loaded(server);
    return true;
}

/* `dir` is where it writes, `args` what it is told beside; both are borrowed while it runs. */
static inline void redis_start(struct redis_server_of_test *server, const char *dir,
                               const char *const *args, const char *port_word) {
    *server = (struct redis_server_of_test){.dir = dir, .args = args, .port_word = port_word};
    for (int i = 0; i < 200; i++) {
        server->port = 21000 + (getpid() * 7 + i) % 9000;
        if (redis_start_there(server)) return;
    }
    fail_msg("no port is free for redis-server");
}

static inline void redis_end(struct redis_server_of_test *server, int signal) {
    int status;
    if (server->pid <= 0) return;
    kill(server->pid, signal);
    waitpid(server->pid, &status, 0);
    server->pid = 0;
}

#endif
