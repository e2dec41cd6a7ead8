#include "identity/header_user.h"

struct str header_user_default(enum user_id_kind kind) {
    return kind == USER_ID_WECOM ? STR("X-Wecom-User-Id") : STR("X-Dingtalk-User-Id");
}

/* Only names of the X- sort: none of those says anything else to HTTP, and a page cannot send them
 * without being asked for. */
bool header_user_is_fit(struct str header) {
    static const struct str taken[] = {STR_INIT("X-User-Id"),    STR_INIT("X-Client-Id"),
                                       STR_INIT("X-Session-Id"), STR_INIT("X-Timestamp"),
                                       STR_INIT("X-Nonce"),      STR_INIT("X-Signature"),
                                       STR_INIT("X-CSRF-Token"), STR_INIT("X-Forwarded-For")};
    if (!str_istarts(header, STR("X-")) || header.len == 2) return false;
    for (size_t i = 0; i < COUNT(taken); i++)
        if (str_ieq(header, taken[i])) return false;
    for (size_t i = 0; i < header.len; i++) {
        char c = header.ptr[i];
        bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_plain && c != '-' && c != '_') return false;
    }
    return true;
}

static struct str method_of(enum user_id_kind kind) {
    return kind == USER_ID_WECOM ? STR("wecom") : STR("dingtalk");
}

static size_t count_claims(const struct identifying *who, const struct header_user **first) {
    size_t n = 0;
    for (size_t i = 0; i < who->identity->n_header_users; i++) {
        const struct header_user *row = &who->identity->header_users[i];
        if (identifying_header_count(who, row->header) == 0) continue;
        if (n++ == 0) *first = row;
    }
    return n;
}

static result header_user_identify(const struct identifying *who, bool *found,
                                   struct principal *out, struct report *report) {
    const struct header_user *row = NULL;
    struct gateway_claim claim;
    if (!who->identity->gateway.is_on || who->origin->kind != ORIGIN_HTTP) return OK;
    size_t n = count_claims(who, &row);
    *found = n > 0;
    if (n == 0) return OK;
    if (n > 1)
        return fail(report, FAIL_DENIED, "SIGNATURE_INVALID", REPORT_NO_OFFSET,
                    "two headers name a user");
    TRY(gateway_check(who, row->header, &claim, report));
    const struct identity_user *user = identity_user_by(who->identity, row->kind, claim.user);
    TRY(gateway_admit(who, user, &claim, method_of(row->kind), out, report));
    return gateway_use_nonce(who, report);
}

const struct identity_provider provider_header_user = {"header_user", header_user_identify};
