#include "policy/table_name.h"

#include "text/bind.h"

#define SCHEMA_DEFAULT STR("default")

/* Patterns, quotes and blanks are no part of a name: whoever writes them means something that a
 * table's name cannot say. */
static bool is_part(struct str part) {
    static const char refused[] = " *?'\"`${}()[],;:/\\";
    if (!bind_is_name(part)) return false;
    for (size_t i = 0; i < part.len; i++)
        if (strchr(refused, part.ptr[i]) != NULL) return false;
    return true;
}

result table_name_read(struct str text, struct str default_project, struct arena *arena,
                       struct table_name *out) {
    *out = (struct table_name){0};
    struct str lower = str_lower(arena, text), project = str_lower(arena, default_project);
    if ((lower.ptr == NULL && text.len > 0) || (project.ptr == NULL && default_project.len > 0))
        return fail_memory(NULL);
    struct str parts[3], rest = lower;
    size_t n = 0;
    while (n < COUNT(parts) && rest.ptr != NULL) {
        parts[n] = str_cut(&rest, '.');
        if (!is_part(parts[n++])) return OK;
    }
    if (n == 0 || rest.ptr != NULL || (n == 1 && !is_part(project))) return OK;
    out->project = n == 1 ? project : parts[0];
    out->schema = n == 3 ? parts[1] : SCHEMA_DEFAULT;
    out->name = parts[n - 1];
    return OK;
}

static int cmp_part(struct str a, struct str b) {
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        unsigned char x = (unsigned char)a.ptr[i], y = (unsigned char)b.ptr[i];
        if (y >= 'A' && y <= 'Z') y = (unsigned char)(y - 'A' + 'a');
        if (x != y) return x < y ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

int table_name_cmp(const struct table_name *a, const struct table_name *b) {
    int by = cmp_part(a->project, b->project);
    if (by == 0) by = cmp_part(a->schema, b->schema);
    return by == 0 ? cmp_part(a->name, b->name) : by;
}
