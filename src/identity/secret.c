#include "identity/secret.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/rand.h"
#include "identity/locked.h"
#include "identity/secret_inner.h"
#include "text/base64.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Both generations, a separator, an end of line, and one byte more to see that it is too long. */
enum { SECRET_TEXT_MAX = 2 * SECRET_BYTES_MAX + 4 };

/* Stands alone in its pages. */
struct secret {
    const struct clock *clock;
    unsigned n_generations;
    uint8_t keys[SECRET_GENERATIONS][SECRET_KEY_SIZE]; /* by HKDF-Extract; the first seals */
    char text[SECRET_TEXT_MAX]; /* while it is read; wiped when the keys are made */
};

static result wrong(enum fail why, const char *where, const char *what, struct report *report) {
    return fail(report, why, "CONFIG_INVALID", REPORT_NO_OFFSET, "the secret in %s %s", where,
                what);
}

/* -- its file --------------------------------------------------------------------------------- */

static result cannot(const char *verb, const char *path, struct report *report) {
    return fail(report, FAIL_IO, "CONFIG_INVALID", REPORT_NO_OFFSET,
                "cannot %s the secret's file '%s': %s", verb, path, strerrordesc_np(errno));
}

/* A new secret and the end of its line. */
static bool draw(char text[SECRET_BYTES_MIN + 1]) {
    uint8_t bytes[SECRET_KEY_SIZE];
    struct arena arena;
    rand_bytes(bytes, sizeof bytes);
    arena_init(&arena, 2 * SECRET_BYTES_MIN);
    struct str encoded = base64url_encode((struct str){(const char *)bytes, sizeof bytes}, &arena);
    bool is_made = encoded.len == SECRET_BYTES_MIN;
    if (is_made) memcpy(text, encoded.ptr, encoded.len);
    if (is_made) OPENSSL_cleanse((void *)(uintptr_t)encoded.ptr, encoded.len);
    OPENSSL_cleanse(bytes, sizeof bytes);
    arena_deinit(&arena);
    text[SECRET_BYTES_MIN] = '\n';
    return is_made;
}

/* Written whole beside it and then given its name, unless another replica was first: nobody ever
 * reads half a secret. */
static result make_file(const char *path, struct report *report) {
    char text[SECRET_BYTES_MIN + 1], beside[PATH_MAX];
    if (!draw(text)) return fail_memory(report);
    bool is_there = file_make_beside(path, 0600, (struct str){text, sizeof text}, beside);
    bool is_made = is_there && (link(beside, path) == 0 || errno == EEXIST);
    result r = is_made ? OK : cannot("make", path, report);
    if (is_there) unlink(beside);
    OPENSSL_cleanse(text, sizeof text);
    return r;
}

static result read_all(struct secret *secret, int fd, const char *path, size_t *len,
                       struct report *report) {
    *len = 0;
    while (*len < sizeof secret->text) {
        ssize_t n = fault_now() ? -1 : read(fd, secret->text + *len, sizeof secret->text - *len);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cannot("read", path, report);
        if (n == 0) return OK;
        *len += (size_t)n;
    }
    return OK; /* too long: the lines are looked at */
}

static result check_mode(int fd, const char *path, struct report *report) {
    struct stat st;
    if (fstat(fd, &st) != 0) return cannot("look at", path, report);
    if (!S_ISREG(st.st_mode)) return wrong(FAIL_CONFIG, path, "is no regular file", report);
    if ((st.st_mode & (S_IRWXO | S_IWGRP)) == 0) return OK;
    result r = wrong(FAIL_CONFIG, path, "may be read by others", report);
    fail_hint(report, "chmod 600 makes it yours alone; if others have read it, make a new one");
    return r;
}

static result read_file(struct secret *secret, const char *path, size_t *len,
                        struct report *report) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT) {
        TRY(make_file(path, report));
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (fd < 0) return cannot("open", path, report);
    result r = check_mode(fd, path, report);
    if (r.why == FAIL_NONE) r = read_all(secret, fd, path, len, report);
    close(fd);
    return r;
}

/* -- its text --------------------------------------------------------------------------------- */

static bool is_plain(struct str text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') return false;
    return true;
}

static result add_generation(struct secret *secret, struct str text, const char *where,
                             struct report *report) {
    if (secret->n_generations == SECRET_GENERATIONS)
        return wrong(FAIL_CONFIG, where, "has more than two generations", report);
    if (text.len < SECRET_BYTES_MIN || text.len > SECRET_BYTES_MAX || !is_plain(text)) {
        result r = wrong(FAIL_CONFIG, where, "is too short, too long or no plain text", report);
        fail_hint(report, "At least %d characters; `openssl rand -hex 32` makes them",
                  SECRET_BYTES_MIN);
        return r;
    }
    if (!hkdf_extract(STR("weir"), text, secret->keys[secret->n_generations]))
        return fail_memory(report);
    secret->n_generations++;
    return OK;
}

static result parse(struct secret *secret, struct str text, char separator, const char *where,
                    struct report *report) {
    for (struct str rest = text; rest.len > 0;) {
        struct str line = str_trim(str_cut(&rest, separator));
        if (line.len > 0) TRY(add_generation(secret, line, where, report));
    }
    return secret->n_generations > 0 ? OK : wrong(FAIL_CONFIG, where, "is empty", report);
}

static result load(struct secret *secret, struct str value, const char *path,
                   struct report *report) {
    size_t len;
    if (value.len > 0) return parse(secret, value, ',', "WEIR_SECRET", report);
    TRY(read_file(secret, path, &len, report));
    result r = parse(secret, (struct str){secret->text, len}, '\n', path, report);
    OPENSSL_cleanse(secret->text, sizeof secret->text);
    return r;
}

void secret_close(struct secret *secret) {
    locked_free(secret, sizeof *secret);
}

result secret_open(struct str value, const char *path, const struct clock *clock,
                   struct secret **out, struct report *report) {
    *out = NULL;
    struct secret *secret = locked_new(sizeof *secret);
    if (secret == NULL) return fail_memory(report);
    secret->clock = clock;
    result r = load(secret, value, path, report);
    if (r.why == FAIL_NONE)
        *out = secret;
    else
        secret_close(secret);
    return r;
}

/* -- its keys --------------------------------------------------------------------------------- */

unsigned secret_generations(const struct secret *secret) {
    return secret->n_generations;
}

const struct clock *secret_clock(const struct secret *secret) {
    return secret->clock;
}

bool secret_expand(const struct secret *secret, unsigned generation, struct str info,
                   uint8_t out[SECRET_KEY_SIZE]) {
    if (generation < secret->n_generations)
        return hkdf_expand(secret->keys[generation], info, out, SECRET_KEY_SIZE);
    memset(out, 0, SECRET_KEY_SIZE);
    return false;
}

bool secret_key(const struct secret *secret, unsigned generation, struct str purpose,
                uint8_t out[SECRET_KEY_SIZE]) {
    char info[HKDF_INFO_MAX];
    int n = snprintf(info, sizeof info, "weir key 1 " STR_FMT, STR_ARG(purpose));
    size_t len = n < 0 || (size_t)n >= sizeof info ? HKDF_INFO_MAX + 1 : (size_t)n;
    return secret_expand(secret, generation, (struct str){info, len}, out);
}
