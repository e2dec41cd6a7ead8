/*
 * Another server, as those that we ask are: threads, sockets and, when given papers, TLS. It
 * answers by a handler of the test's.
 */
#ifndef WEIR_TEST_FAR_H
#define WEIR_TEST_FAR_H

#include "papers.h"

struct far {
    struct http_server *server;
    uint16_t port;
};

static inline void far_start(struct far *far, http_handler *handler, void *ctx,
                             const struct papers *papers) {
    struct http_settings settings;
    option_defaults(http_options, &settings);
    settings.loops = 1;
    settings.drain_timeout = 1;
    if (papers != NULL) settings.tls_cert = str_of(papers->cert);
    if (papers != NULL) settings.tls_key = str_of(papers->key);
    signal(SIGPIPE, SIG_IGN);
    struct report report = {0};
    if (http_server_new(&far->server, &settings, &clock_real, &report).why != FAIL_NONE)
        fail_msg("%s", report.sentence);
    far->port = rig_listen(far->server, handler, ctx);
    assert_int_equal(http_server_start(far->server, NULL).why, FAIL_NONE);
}

static inline void far_end(struct far *far) {
    http_server_drain(far->server);
    http_server_join(far->server);
    http_server_free(far->server);
}

static inline void far_answer(struct http_exchange *x, int status, struct http_header header,
                              struct str text) {
    struct buf body;
    buf_init(&body, (size_t)(8 * MIB));
    buf_add(&body, text);
    http_reply(x, status, &header, header.name.len > 0 ? 1 : 0, &body);
    buf_deinit(&body);
}

#endif
