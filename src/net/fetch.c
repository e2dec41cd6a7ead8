#include "net/fetch.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/map.h"
#include "net/fetch_api.h"
#include "net/fetch_url.h"

#include <pthread.h>
#include <stdlib.h>

#define AT(member) offsetof(struct fetch_settings, member)
const struct option fetch_options[] = {
    {.name = "ca_file",
     .type = OPTION_TEXT,
     .offset = AT(ca_file),
     .fallback = "",
     .reloadable = true,
     .sentence = "A PEM file of the certificate authorities that other servers are trusted by; "
                 "those of the system without one."},
    {.name = "proxy",
     .type = OPTION_TEXT,
     .offset = AT(proxy),
     .fallback = "",
     .reloadable = true,
     .sentence = "The proxy for what we ask of other servers, as a URL; `environment` takes what "
                 "`HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say. Without one none is used, "
                 "whatever the environment says."},
    {0},
};
#undef AT

/* A talk with its connections. Of one thread, or idle. */
struct fetch_handle {
    struct link in_idle; /* in fetcher.idle, the last used first */
    CURLM *multi;        /* keeps the connections */
    CURL *easy;
    uint64_t origin; /* hash of the one asked last: likely to be connected still */
};

struct fetcher {
    const struct clock *clock;
    pthread_mutex_t lock; /* over what follows; never held while anybody waits */
    struct link idle;
    size_t n_idle;
};

/* One request under way. */
struct fetching {
    const struct fetch_api *curl;
    const struct fetch_request *request;
    const struct fetch_settings *settings;
    struct fetch_handle *handle;
    struct fetch_url origin;
    const char *url; /* where it goes now: of the request, or a redirect's */
    struct arena *arena;
    struct curl_slist *headers;
    struct buf body;
    size_t head_bytes;
    int64_t end_ns;
    struct report *report;
};

/* -- what is told ----------------------------------------------------------------------------- */

static result failed(const struct fetching *f, enum fail why, const char *code, const char *what) {
    return fail(f->report, why, code, REPORT_NO_OFFSET, STR_FMT "://" STR_FMT ":%u %s",
                STR_ARG(f->origin.scheme), STR_ARG(f->origin.host), f->origin.port, what);
}

static result invalid(struct report *report, const char *what) {
    return fail(report, FAIL_INPUT, "FETCH_INVALID", REPORT_NO_OFFSET,
                "another server cannot be asked: %s", what);
}

static result too_large(const struct fetching *f) {
    return failed(f, FAIL_LIMIT, "FETCH_TOO_LARGE", "answered more than is read");
}

static result timed_out(const struct fetching *f) {
    return failed(f, FAIL_TIMEOUT, "FETCH_TIMEOUT", "did not answer in time");
}

/* -- handles ---------------------------------------------------------------------------------- */

result fetcher_new(const struct clock *clock, struct fetcher **out, struct report *report) {
    struct fetcher *fetcher = fault_now() ? NULL : calloc(1, sizeof *fetcher);
    *out = fetcher;
    if (fetcher == NULL) return fail_memory(report);
    fetcher->clock = clock;
    pthread_mutex_init(&fetcher->lock, NULL);
    list_init(&fetcher->idle);
    return OK;
}

static void handle_free(struct fetch_handle *handle) {
    const struct fetch_api *curl = fetch_api();
    if (handle->easy != NULL) curl->easy_cleanup(handle->easy);
    if (handle->multi != NULL) curl->multi_cleanup(handle->multi);
    free(handle);
}

void fetcher_free(struct fetcher *fetcher) {
    if (fetcher == NULL) return;
    while (!list_empty(&fetcher->idle)) {
        struct fetch_handle *handle = holder_of(fetcher->idle.next, struct fetch_handle, in_idle);
        list_leave(&handle->in_idle);
        handle_free(handle);
    }
    pthread_mutex_destroy(&fetcher->lock);
    free(fetcher);
}

static struct fetch_handle *handle_new(const struct fetch_api *curl) {
    struct fetch_handle *handle = fault_now() ? NULL : calloc(1, sizeof *handle);
    if (handle == NULL) return NULL;
    handle->multi = fault_now() ? NULL : curl->multi_init();
    handle->easy = fault_now() ? NULL : curl->easy_init();
    if (handle->multi != NULL && handle->easy != NULL) {
        curl->multi_setopt(handle->multi, CURLMOPT_MAXCONNECTS, (long)FETCH_CONNECTIONS_KEPT);
        return handle;
    }
    handle_free(handle);
    return NULL;
}

static uint64_t hash_of(const struct fetch_url *origin) {
    return map_hash(origin->host) ^ origin->port;
}

/* The one that asked there last, else the one that has rested longest. */
static struct fetch_handle *take_idle(struct fetcher *fetcher, uint64_t origin) {
    struct fetch_handle *handle = NULL;
    pthread_mutex_lock(&fetcher->lock);
    for (struct link *l = fetcher->idle.next; l != &fetcher->idle; l = l->next) {
        handle = holder_of(l, struct fetch_handle, in_idle);
        if (handle->origin == origin) break;
    }
    if (handle != NULL) {
        list_leave(&handle->in_idle);
        fetcher->n_idle--;
    }
    pthread_mutex_unlock(&fetcher->lock);
    return handle;
}

static void give_back(struct fetcher *fetcher, struct fetch_handle *handle) {
    pthread_mutex_lock(&fetcher->lock);
    bool is_kept = fetcher->n_idle < FETCH_HANDLES_KEPT;
    if (is_kept) {
        list_add_first(&fetcher->idle, &handle->in_idle);
        fetcher->n_idle++;
    }
    pthread_mutex_unlock(&fetcher->lock);
    if (!is_kept) handle_free(handle);
}

/* -- a request as curl wants it --------------------------------------------------------------- */

static result add_header(struct fetching *f, struct str name, struct str value) {
    /* A colon alone takes a header of curl's own away. */
    struct str line = str_printf(f->arena, STR_FMT ":%s" STR_FMT, STR_ARG(name),
                                 value.len > 0 ? " " : "", STR_ARG(value));
    const char *text = line.ptr == NULL ? NULL : str_cstr(f->arena, line);
    struct curl_slist *longer =
        text == NULL || fault_now() ? NULL : f->curl->slist_append(f->headers, text);
    if (longer == NULL) return fail_memory(f->report);
    f->headers = longer;
    return OK;
}

static result add_headers(struct fetching *f) {
    for (size_t i = 0; i < f->request->n_headers; i++) {
        const struct http_header *h = &f->request->headers[i];
        if (!http1_token_valid(h->name) || !http1_value_valid(h->value) || h->value.len == 0)
            return invalid(f->report, "a header is of no form");
        TRY(add_header(f, h->name, h->value));
    }
    return add_header(f, STR("Expect"), STR_NONE); /* we do not wait to be told to go on */
}

static size_t take_body(char *bytes, size_t size, size_t n, void *with) {
    struct fetching *f = with;
    buf_add(&f->body, (struct str){bytes, size * n});
    return f->body.failed == FAIL_NONE ? size * n : 0;
}

/* Counts only: what is wanted of the head is asked at the end. */
static size_t take_head(char *bytes, size_t size, size_t n, void *with) {
    struct fetching *f = with;
    (void)bytes;
    f->head_bytes += size * n;
    return f->head_bytes <= FETCH_HEAD_BYTES_MAX ? size * n : 0;
}

static result set_text(struct fetching *f, CURLoption option, struct str value) {
    const char *text = str_cstr(f->arena, value);
    bool is_set = text != NULL && !fault_now() &&
                  f->curl->easy_setopt(f->handle->easy, option, text) == CURLE_OK;
    return is_set ? OK : fail_memory(f->report);
}

/* Who is asked, and who we are sure that it is. */
static result set_fences(struct fetching *f) {
    const struct fetch_api *curl = f->curl;
    CURL *easy = f->handle->easy;
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a slow resolver is not waited for */
    curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    TRY(set_text(f, CURLOPT_PROTOCOLS_STR, STR("http,https")));
    if (f->settings->ca_file.len > 0) TRY(set_text(f, CURLOPT_CAINFO, f->settings->ca_file));
    if (!str_eq(f->settings->proxy, STR("environment")))
        TRY(set_text(f, CURLOPT_PROXY, f->settings->proxy));
    return set_text(f, CURLOPT_USERAGENT, STR("weir/" WEIR_VERSION));
}

static result set_message(struct fetching *f) {
    const struct fetch_api *curl = f->curl;
    CURL *easy = f->handle->easy;
    struct str method = f->request->method, body = f->request->body;
    curl->easy_setopt(easy, CURLOPT_URL, f->url);
    if (body.ptr != NULL) {
        curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDS, body.ptr);
    }
    if (str_eq(method, STR("HEAD"))) curl->easy_setopt(easy, CURLOPT_NOBODY, 1L);
    if (method.len > 0) TRY(set_text(f, CURLOPT_CUSTOMREQUEST, method));
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, f->headers);
    curl->easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)f->body.max);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, f);
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_head);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, f);
    return OK;
}

/* -- the talk --------------------------------------------------------------------------------- */

/* Until the one transfer of the handle has ended. */
static result transfer(struct fetching *f, CURLcode *ended) {
    CURLM *multi = f->handle->multi;
    struct curl_waitfd cancel = {.fd = f->request->cancel_fd, .events = CURL_WAIT_POLLIN};
    unsigned n_fds = f->request->cancel_fd > 0 ? 1 : 0;
    for (int running = 1; running > 0;) {
        if (f->curl->multi_perform(multi, &running) != CURLM_OK) return fail_memory(f->report);
        if (running == 0) break;
        if (f->curl->multi_poll(multi, &cancel, n_fds, 1000, NULL) != CURLM_OK)
            return fail_memory(f->report);
        if (cancel.revents != 0)
            return failed(f, FAIL_CANCELLED, "CANCELLED", "is no longer asked");
    }
    int left;
    const CURLMsg *message = f->curl->multi_info_read(multi, &left);
    *ended = message == NULL ? CURLE_FAILED_INIT : message->data.result;
    return OK;
}

static result judge(const struct fetching *f, CURLcode ended) {
    if (f->body.failed == FAIL_LIMIT || f->head_bytes > FETCH_HEAD_BYTES_MAX ||
        ended == CURLE_FILESIZE_EXCEEDED)
        return too_large(f);
    if (f->body.failed != FAIL_NONE || ended == CURLE_OUT_OF_MEMORY) return fail_memory(f->report);
    if (ended == CURLE_OPERATION_TIMEDOUT) return timed_out(f);
    if (ended != CURLE_OK) return failed(f, FAIL_IO, "FETCH_FAILED", f->curl->easy_strerror(ended));
    return OK;
}

/* One request and its answer, a redirect's too. */
static result ask(struct fetching *f, int64_t now_ns) {
    CURLcode ended = CURLE_OK;
    int64_t left_ms = (f->end_ns - now_ns) / 1000000;
    if (left_ms <= 0) return timed_out(f);
    buf_clear(&f->body);
    f->head_bytes = 0;
    f->curl->easy_reset(f->handle->easy); /* keeps the connections */
    TRY(set_fences(f));
    TRY(set_message(f));
    f->curl->easy_setopt(f->handle->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
    if (f->curl->multi_add_handle(f->handle->multi, f->handle->easy) != CURLM_OK)
        return fail_memory(f->report);
    result r = transfer(f, &ended);
    f->curl->multi_remove_handle(f->handle->multi, f->handle->easy);
    TRY(r);
    return judge(f, ended);
}

static struct str header_of(struct fetching *f, const char *name) {
    struct curl_header *found;
    CURLHcode r = f->curl->easy_header(f->handle->easy, name, 0, CURLH_HEADER, -1, &found);
    return r == CURLHE_OK ? str_dup(f->arena, str_of(found->value)) : STR_NONE;
}

/* Where the answer sends us, when it does and we go: STR_NONE in *url otherwise. */
static result redirected(struct fetching *f, unsigned n, const char **url) {
    const char *to = NULL;
    struct fetch_url next;
    long status = 0;
    *url = NULL;
    f->curl->easy_getinfo(f->handle->easy, CURLINFO_RESPONSE_CODE, &status);
    f->curl->easy_getinfo(f->handle->easy, CURLINFO_REDIRECT_URL, &to);
    if (to == NULL || f->request->redirects == 0 || status < 300 || status > 399) return OK;
    if (!fetch_url_read(str_of(to), &next) || !fetch_url_is_same_origin(&next, &f->origin))
        return failed(f, FAIL_IO, "FETCH_FAILED", "redirects to another origin");
    if (n >= f->request->redirects || n >= FETCH_REDIRECTS_MAX)
        return failed(f, FAIL_LIMIT, "FETCH_FAILED", "redirects too often");
    *url = str_cstr(f->arena, str_of(to));
    return *url != NULL ? OK : fail_memory(f->report);
}

static result take_reply(struct fetching *f, struct fetch_reply *out) {
    long status = 0, connects = 0;
    f->curl->easy_getinfo(f->handle->easy, CURLINFO_RESPONSE_CODE, &status);
    f->curl->easy_getinfo(f->handle->easy, CURLINFO_NUM_CONNECTS, &connects);
    *out = (struct fetch_reply){.status = (int)status,
                                .body = buf_copy(&f->body, f->arena),
                                .content_type = header_of(f, "content-type"),
                                .cache_control = header_of(f, "cache-control"),
                                .retry_after = header_of(f, "retry-after"),
                                .is_reused = connects == 0};
    return f->arena->is_spent ? fail_memory(f->report) : OK;
}

static result talk(struct fetching *f, struct fetcher *fetcher, struct fetch_reply *out) {
    f->url = str_cstr(f->arena, f->request->url);
    if (f->url == NULL) return fail_memory(f->report);
    TRY(add_headers(f));
    for (unsigned n = 0; f->url != NULL; n++) {
        TRY(ask(f, clock_mono_ns(fetcher->clock)));
        TRY(redirected(f, n, &f->url));
    }
    return take_reply(f, out);
}

/* -- the whole -------------------------------------------------------------------------------- */

static bool is_method(struct str method) {
    for (size_t i = 0; i < method.len; i++)
        if (method.ptr[i] < 'A' || method.ptr[i] > 'Z') return false;
    return method.len <= HTTP_METHOD_BYTES_MAX;
}

static result check(const struct fetch_request *request, struct fetch_url *origin,
                    struct report *report) {
    bool is_get = request->body.ptr == NULL &&
                  (request->method.len == 0 || str_eq(request->method, STR("GET")));
    if (!fetch_url_read(request->url, origin)) return invalid(report, "the URL is of no form");
    if (!is_method(request->method)) return invalid(report, "the method is of no form");
    if (request->redirects > 0 && !is_get) return invalid(report, "only a GET may be redirected");
    return OK;
}

static int64_t end_of(const struct fetch_request *request, int64_t now_ns) {
    int64_t ms = request->timeout_ms > 0 ? request->timeout_ms : FETCH_TIMEOUT_MS;
    if (ms > FETCH_TIMEOUT_MS_MAX) ms = FETCH_TIMEOUT_MS_MAX;
    int64_t end = now_ns + ms * 1000000;
    return request->deadline_ns != 0 && request->deadline_ns < end ? request->deadline_ns : end;
}

result fetch(struct fetcher *fetcher, const struct fetch_request *request, struct arena *arena,
             struct fetch_reply *out, struct report *report) {
    static const struct fetch_settings usual;
    struct fetching f = {.curl = fetch_api(),
                         .request = request,
                         .settings = request->settings != NULL ? request->settings : &usual,
                         .arena = arena,
                         .report = report};
    *out = (struct fetch_reply){0};
    TRY(check(request, &f.origin, report));
    if (f.curl == NULL) return failed(&f, FAIL_IO, "FETCH_FAILED", "needs libcurl");
    f.handle = take_idle(fetcher, hash_of(&f.origin));
    if (f.handle == NULL) f.handle = handle_new(f.curl);
    if (f.handle == NULL) return fail_memory(report);
    f.end_ns = end_of(request, clock_mono_ns(fetcher->clock));
    size_t max = request->max_bytes;
    buf_init(&f.body, max > 0 && max < (size_t)FETCH_BYTES_MAX ? max : (size_t)FETCH_BYTES_MAX);
    result r = talk(&f, fetcher, out);
    f.handle->origin = hash_of(&f.origin);
    f.curl->easy_reset(f.handle->easy); /* it points into this request no more */
    f.curl->slist_free_all(f.headers);
    buf_deinit(&f.body);
    give_back(fetcher, f.handle);
    if (r.why != FAIL_NONE) *out = (struct fetch_reply){0};
    return r;
}
