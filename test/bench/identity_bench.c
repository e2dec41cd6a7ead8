/*
 * test/bench/identity_bench.c - what it costs to know whose token it is
 *
 *     identity-bench      name, ns a caller (median of rounds): one line each
 *
 * Whole callers: header, digest, signature or its memory, claims, user. Preloaded with lock-count,
 * it tells the locks that 100,000 callers took whose tokens were seen before.
 */
#include "../unit/identity/issuer.h"

#include "base/log.h"
#include "identity/provider.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <time.h>

enum { ROUNDS = 9, TOKENS = 64, CALLERS = 100000 };

static int64_t cpu_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static struct issuer issuer;
static struct clock now;
static struct arena own, arena; /* of the whole; of one caller */
static struct identity_state state;
static struct str published;
static const struct str SECRET = STR_INIT("0123456789abcdef0123456789abcdef");

static result publish(const struct jwks_getter *getter, const struct jwks_source *source,
                      struct arena *into, struct str *out, struct report *report) {
    (void)getter;
    (void)source;
    *out = str_dup(into, published);
    return out->ptr == NULL ? fail_memory(report) : OK;
}

/* -- the house -------------------------------------------------------------------------------- */

static const struct identity *load(bool is_hmac) {
    static struct str audience[] = {STR_INIT("https://weir.example.com/mcp")};
    static struct str named[] = {STR_INIT("https://issuer.example.com")};
    static struct str algorithms[] = {STR_INIT("RS256"), STR_INIT("ES256"), STR_INIT("EdDSA")};
    static struct str hmac[] = {STR_INIT("HS256")};
    struct identity_settings *settings = arena_new(&own, struct identity_settings);
    issuer_must(settings != NULL);
    *settings = (struct identity_settings){
        .require_auth = true,
        .auth_enabled = true,
        .jwt = {.algorithms = {is_hmac ? hmac : algorithms, is_hmac ? 1 : 3, true},
                .issuers = {named, 1, true},
                .audiences = {audience, 1, true},
                .clock_skew_ms = 60000,
                .keys_ttl_ms = 3600000}};
    if (is_hmac)
        settings->jwt.secret = SECRET;
    else
        settings->jwt.jwks_uri = STR("https://issuer.example.com/jwks");
    struct identity_sources sources = {.settings = settings, .enterprise_name = STR("enterprise")};
    issuer_must(
        yaml_read(STR("users: {ann: {name: Ann, roles: [analyst]}}\nroles: {analyst: {}}\n"),
                  STR("enterprise"), NULL, &own, &sources.enterprise, NULL)
            .why == FAIL_NONE);
    struct problems problems;
    const struct identity *identity = NULL;
    problems_init(&problems, &own);
    issuer_must(identity_load(&sources, &own, &problems, &identity).why == FAIL_NONE);
    return identity;
}

static void state_open(void) {
    struct jwks_getter getter = {.get = publish};
    state = (struct identity_state){.clock = &now};
    issuer_must(jwt_state_new(&now, getter, &state.jwt, NULL).why == FAIL_NONE);
}

static struct str header_of(const void *with, struct str name) {
    return str_eq(name, STR("authorization")) ? *(const struct str *)with : STR_NONE;
}

static size_t count_of(const void *with, struct str name) {
    return header_of(with, name).ptr == NULL ? 0 : 1;
}

static void come(const struct identity *identity, const struct str *header) {
    struct origin origin = {.kind = ORIGIN_HTTP,
                            .header = header_of,
                            .header_count = count_of,
                            .with = header,
                            .peer = STR("127.0.0.1"),
                            .may_wait = true};
    struct principal who;
    arena_reset(&arena);
    issuer_must(identity_identify(identity, &state, &origin, &arena, &who, NULL).why == FAIL_NONE);
}

/* -- tokens ----------------------------------------------------------------------------------- */

static void make_tokens(const char *header, const struct issuer_sign *how, struct str *out) {
    for (int i = 0; i < TOKENS; i++) {
        struct str claims = str_printf(
            &own,
            "{\"jti\":\"vK3_Hq0m7w2J0cJp5l8-%d\",\"sub\":\"ann\",\"iat\":1800000000,"
            "\"exp\":1800000300,\"scope\":\"mcp:read mcp:query\",\"client_id\":\"desk\","
            "\"iss\":\"https://issuer.example.com\",\"aud\":[\"https://weir.example.com/mcp\"],"
            "\"realm_access\":{\"roles\":[\"analyst\",\"offline\",\"default-roles\"]},"
            "\"azp\":\"desk\",\"session_state\":\"2c1b2c55-9a8e-4d8b-a30c-0d6a5a8d1a55\"}",
            i);
        struct str token = issuer_token(how, str_of(header), claims, &own);
        out[i] = str_printf(&own, "Bearer " STR_FMT, STR_ARG(token));
    }
}

static void print_median(const char *name, const char *how, int64_t rounds[ROUNDS]) {
    qsort(rounds, ROUNDS, sizeof rounds[0], ascending);
    (void)printf("%s %s\t%" PRId64 "\n", name, how, rounds[ROUNDS / 2]);
}

/* Each token for the first time: nothing is remembered from the round before but the keys. */
static void measure_new(const char *name, const struct identity *identity,
                        const struct str *headers) {
    int64_t rounds[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        jwt_state_free(state.jwt);
        state_open();
        come(identity, &headers[0]);
        int64_t from = cpu_ns();
        for (int i = 1; i < TOKENS; i++) come(identity, &headers[i]);
        rounds[r] = (cpu_ns() - from) / (TOKENS - 1);
    }
    print_median(name, "new", rounds);
}

static void measure_seen(const char *name, const struct identity *identity,
                         const struct str *headers) {
    int64_t rounds[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        int64_t from = cpu_ns();
        for (int i = 0; i < CALLERS / ROUNDS; i++) come(identity, &headers[i % TOKENS]);
        rounds[r] = (cpu_ns() - from) / (CALLERS / ROUNDS);
    }
    print_median(name, "seen before", rounds);
}

static void count_locks(const struct identity *identity, const struct str *headers) {
    uint64_t (*count)(void) = NULL;
    *(void **)(&count) = dlsym(RTLD_DEFAULT, "lock_count");
    if (count == NULL) return;
    uint64_t before = count();
    for (int i = 0; i < CALLERS; i++) come(identity, &headers[i % TOKENS]);
    (void)printf("locks in %d\t%" PRIu64 "\n", CALLERS, count() - before);
}

int main(void) {
    static struct str headers[TOKENS];
    log_threshold(LOG_OFF);
    clock_scripted(&now, INT64_C(1800000000000));
    arena_init(&own, 64 << 20);
    arena_init(&arena, 1 << 20);
    issuer_begin(&issuer);
    state_open();
    published = str_printf(&own,
                           "{\"keys\":[{\"kid\":\"r\"," STR_FMT "},{\"kid\":\"e\"," STR_FMT
                           "},{\"kid\":\"d\"," STR_FMT "}]}",
                           STR_ARG(issuer_jwk_parts(issuer.keys[KEY_RSA], &own)),
                           STR_ARG(issuer_jwk_parts(issuer.keys[KEY_P256], &own)),
                           STR_ARG(issuer_jwk_parts(issuer.keys[KEY_ED], &own)));
    const struct {
        const char *name, *header;
        struct issuer_sign how;
    } rows[] = {
        {"RS256",
         "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"r\"}",
         {JWT_RS256, issuer.keys[KEY_RSA], STR_NONE, false}},
        {"ES256",
         "{\"alg\":\"ES256\",\"typ\":\"at+jwt\",\"kid\":\"e\"}",
         {JWT_ES256, issuer.keys[KEY_P256], STR_NONE, false}},
        {"EdDSA",
         "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"d\"}",
         {JWT_EDDSA, issuer.keys[KEY_ED], STR_NONE, false}},
        {"HS256", "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", {JWT_HS256, NULL, SECRET, false}},
    };
    const struct identity *by_kind[] = {load(false), load(true)};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct identity *identity = by_kind[rows[i].how.alg == JWT_HS256];
        make_tokens(rows[i].header, &rows[i].how, headers);
        measure_new(rows[i].name, identity, headers);
        measure_seen(rows[i].name, identity, headers);
        if (i == 0) (void)printf("bytes of an RS256 token\t%zu\n", headers[0].len - 7);
        if (i == 0) count_locks(identity, headers);
    }
    jwt_state_free(state.jwt);
    issuer_end(&issuer);
    arena_deinit(&own);
    arena_deinit(&arena);
    return 0;
}
