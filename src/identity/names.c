#include "identity/identity.h"
#include "text/glob.h"

bool name_set_has(const struct name_set *set, struct str name) {
    if (!set->is_set) return true;
    for (size_t i = 0; i < set->n; i++)
        if (glob_match(set->items[i], name)) return true;
    return false;
}

bool principal_has_role(const struct principal *principal, struct str role) {
    for (size_t i = 0; i < principal->n_roles; i++)
        if (str_eq(principal->roles[i], role)) return true;
    return false;
}

const struct attribute *principal_attribute(const struct principal *principal, struct str name) {
    for (size_t i = 0; i < principal->n_attributes; i++)
        if (str_eq(principal->attributes[i].name, name)) return &principal->attributes[i];
    return NULL;
}
