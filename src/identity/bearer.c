/* Bearer tokens: `Authorization: Bearer TOKEN` (RFC 6750), or WEIR_TOKEN on stdio; and the judges
 * who know them. */
#include "base/limits.h"
#include "identity/provider.h"

result token_refuse(struct report *report, const char *sentence) {
    result r = fail(report, FAIL_DENIED, "AUTH_INVALID_TOKEN", REPORT_NO_OFFSET, "%s", sentence);
    fail_hint(report, "Send the header 'Authorization: Bearer TOKEN' with a token of this server.");
    return r;
}

result token_refuse_claims(struct report *report, enum jwt_verdict verdict) {
    if (verdict == JWT_SCOPES)
        return fail(report, FAIL_DENIED, "INSUFFICIENT_SCOPE", REPORT_NO_OFFSET,
                    "the token has not the scopes that this server needs");
    return token_refuse(report, "the bearer token is not accepted");
}

/* The token of a header; STR_NONE when it is of another scheme or of no form. */
static struct str token_of(struct str header) {
    struct str value = str_trim(header);
    if (!str_istarts(value, STR("bearer "))) return STR_NONE;
    struct str token = str_trim(str_slice(value, 7, value.len));
    if (token.len == 0 || token.len > TOKEN_BYTES_MAX) return STR_NONE;
    for (size_t i = 0; i < token.len; i++)
        if ((unsigned char)token.ptr[i] <= ' ' || token.ptr[i] == 0x7f) return STR_NONE;
    return token;
}

/* Tokens of auth.yaml, by their hash. */
static result judge_ours(const struct identifying *who, struct str token, bool *is_known,
                         struct principal *out, struct report *report) {
    uint8_t hash[DIGEST_SIZE];
    if (!digest_sha256(token, hash)) return fail_memory(report);
    const struct identity_token *known = identity_token_find(who->identity, hash);
    *is_known = known != NULL;
    if (*is_known) *out = known->principal;
    return OK;
}
static const struct token_judge judge_file = {"auth.yaml", judge_ours};

/* Asked in this order: what costs nothing first, and a token with the look of a JWT is shown to
 * nobody but its own judge, where there is one. */
static const struct token_judge *const judges[] = {&judge_file, &judge_jwt, &judge_introspection,
                                                   &judge_feishu, &judge_callout};

static result judge(const struct identifying *who, struct str token, struct principal *out,
                    struct report *report) {
    for (size_t i = 0; i < COUNT(judges); i++) {
        bool is_known = false;
        TRY(judges[i]->judge(who, token, &is_known, out, report));
        if (is_known) return OK;
    }
    return token_refuse(report, "the bearer token is not known here");
}

/* Whoever sends an Authorization header is judged by it, whatever its scheme: a caller with a
 * credential that we do not understand is not one without credentials. */
static result bearer_identify(const struct identifying *who, bool *found, struct principal *out,
                              struct report *report) {
    if (!who->identity->is_bearer_on) return OK;
    struct str token = who->origin->token;
    if (who->origin->kind == ORIGIN_HTTP) {
        struct str header = identifying_header(who, STR("authorization"));
        *found = header.ptr != NULL;
        if (!*found) return OK;
        token = token_of(header);
        if (token.ptr == NULL)
            return token_refuse(report, "the Authorization header holds no bearer token");
    }
    *found = token.len > 0;
    return *found ? judge(who, token, out, report) : OK;
}

const struct identity_provider provider_bearer = {"bearer", bearer_identify};
