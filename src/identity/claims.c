#include "identity/claims.h"

#include "base/limits.h"
#include "identity/provider.h"
#include "text/bind.h"

static bool read_roles(const struct identifying *who, const struct json *claims,
                       const struct str_list *names, struct principal *out) {
    struct str *roles = arena_new_array(who->arena, names->n > 0 ? JWT_ROLES_MAX : 0, struct str);
    if (roles == NULL) return false;
    out->roles = roles;
    for (size_t i = 0; i < names->n; i++)
        jwt_texts(claims, names->items[i], JWT_ROLES_MAX, roles, &out->n_roles);
    return true;
}

enum jwt_verdict claims_principal(const struct identifying *who, const struct json *claims,
                                  const struct claims_reading *how, struct principal *out) {
    struct str client = jwt_client(claims), name = jwt_user(claims, &how->user_claims);
    struct str_list scopes;
    if (name.ptr != NULL && how->user_prefix.len > 0)
        name = str_printf(who->arena, STR_FMT STR_FMT, STR_ARG(how->user_prefix), STR_ARG(name));
    const struct identity_user *user = identity_user_find(who->identity, name);
    if ((user == NULL && !how->takes_unknown_users) || !bind_is_name(name)) return JWT_USER;
    if (client.ptr != NULL && !bind_is_name(client)) return JWT_CLAIMS;
    if (!jwt_scopes(claims, who->arena, &scopes)) return JWT_CLAIMS;
    /* A token that names no scopes has none; only one of auth.yaml can be without the question. */
    *out = (struct principal){
        .user_id = name, .client_id = client, .scopes = {scopes.items, scopes.n, true}};
    bool is_whole = read_roles(who, claims, &how->role_claims, out) &&
                    principal_join(out, user, who->arena).why == FAIL_NONE;
    return is_whole ? JWT_GOOD : JWT_CLAIMS;
}
