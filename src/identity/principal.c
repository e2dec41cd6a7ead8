#include "identity/provider.h"

const struct identity_user *identity_user_find(const struct identity *identity,
                                               struct str user_id) {
    return map_get(&identity->users, user_id);
}

const struct identity_user *identity_user_by(const struct identity *identity,
                                             enum user_id_kind kind, struct str id) {
    return id.len == 0 ? NULL : map_get(&identity->users_by[kind], id);
}

static result join_roles(struct principal *p, const struct identity_user *user,
                         struct arena *arena) {
    struct principal of_both = {0};
    const struct str *own = p->roles;
    struct str *roles = arena_new_array(arena, p->n_roles + user->n_roles, struct str);
    if (roles == NULL) return fail_memory(NULL);
    of_both.roles = roles;
    for (size_t i = 0; i < p->n_roles + user->n_roles; i++) {
        struct str role = i < p->n_roles ? own[i] : user->roles[i - p->n_roles];
        if (!principal_has_role(&of_both, role)) roles[of_both.n_roles++] = role;
    }
    p->roles = roles;
    p->n_roles = of_both.n_roles;
    return OK;
}

static result join_attributes(struct principal *p, const struct identity_user *user,
                              struct arena *arena) {
    struct principal of_both = {0};
    const struct attribute *own = p->attributes;
    size_t n = p->n_attributes + user->n_attributes;
    struct attribute *all = arena_new_array(arena, n, struct attribute);
    if (all == NULL) return fail_memory(NULL);
    of_both.attributes = all;
    for (size_t i = 0; i < n; i++) {
        const struct attribute *a =
            i < p->n_attributes ? &own[i] : &user->attributes[i - p->n_attributes];
        if (principal_attribute(&of_both, a->name) == NULL) all[of_both.n_attributes++] = *a;
    }
    p->attributes = all;
    p->n_attributes = of_both.n_attributes;
    return OK;
}

result principal_join(struct principal *principal, const struct identity_user *user,
                      struct arena *arena) {
    static const struct identity_user nobody;
    if (user == NULL) user = &nobody;
    if (principal->user_id.len == 0) principal->user_id = user->user_id;
    if (principal->name.len == 0) principal->name = user->name;
    TRY(join_roles(principal, user, arena));
    return join_attributes(principal, user, arena);
}
