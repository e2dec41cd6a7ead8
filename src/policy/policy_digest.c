#include "policy/policy_digest.h"

#include "base/limits.h"
#include "policy/inner.h"

/* Lengths first: no two lists of texts are written alike. */
static void put_number(struct buf *out, uint64_t n) {
    buf_add(out, (struct str){(const char *)&n, sizeof n});
}

static void put_text(struct buf *out, struct str text) {
    put_number(out, text.len);
    buf_add(out, text);
}

static int compare(const void *a, const void *b) {
    const struct str *left = a, *right = b;
    return str_cmp(*left, *right);
}

static bool has_star(const struct name_set *set) {
    for (size_t i = 0; i < set->n; i++)
        if (str_eq(set->items[i], STR("*"))) return true;
    return false;
}

/* Every project, or a list: in order, for its own order decides nothing. */
static result put_projects(const struct principal *principal, struct arena *arena, struct buf *out,
                           struct report *report) {
    const struct name_set *set = &principal->allowed_projects;
    bool is_all = policy_is_admin(principal) || !set->is_set || has_star(set);
    buf_add_byte(out, is_all ? 'a' : 'l');
    if (is_all) return OK;
    struct str *sorted = arena_new_array(arena, set->n, struct str);
    if (sorted == NULL) return fail_memory(report);
    if (set->n > 0) memcpy(sorted, set->items, set->n * sizeof *sorted);
    if (set->n > 1) qsort(sorted, set->n, sizeof *sorted, compare);
    put_number(out, set->n);
    for (size_t i = 0; i < set->n; i++) put_text(out, sorted[i]);
    return OK;
}

static result put_rows(const struct policy_entry *entry, const struct principal *principal,
                       struct arena *arena, struct buf *out, struct report *report) {
    for (size_t i = 0; i < entry->n_rows; i++) {
        const struct row_rule *row = &entry->rows[i];
        struct str bound;
        if (!str_eq(row->role, STR("*")) && !principal_has_role(principal, row->role)) continue;
        TRY(predicate_bind(&row->predicate, principal, arena, &bound, report));
        buf_add_byte(out, 'r');
        put_text(out, bound);
    }
    return OK;
}

static result put_rights(const struct policy *policy, const struct principal *principal,
                         struct arena *arena, struct buf *out, struct report *report) {
    put_text(out, STR("weir rights 1"));
    buf_add(out, (struct str){(const char *)policy->text_digest, DIGEST_SIZE});
    put_text(out, policy->salt);
    TRY(put_projects(principal, arena, out, report));
    for (size_t i = 0; i < policy->n_domains; i++)
        buf_add_byte(out, policy_may_domain(policy, principal, policy->domain_ids[i]) ? 'd' : '-');
    for (size_t i = 0; i < policy->n_entries; i++) {
        const struct policy_entry *entry = &policy->entries[i];
        bool is_seen = policy_entry_find(policy, principal, &entry->name) != NULL;
        buf_add_byte(out, is_seen ? 't' : '-');
        if (is_seen) TRY(put_rows(entry, principal, arena, out, report));
    }
    return buf_failed(out, report);
}

result policy_digest(const struct policy *policy, const struct principal *principal,
                     struct arena *arena, uint8_t out[DIGEST_SIZE], struct report *report) {
    struct buf rights;
    buf_init(&rights, POLICY_DIGEST_BYTES_MAX);
    result r = put_rights(policy, principal, arena, &rights, report);
    struct str flat = buf_flat(&rights, arena);
    if (r.why == FAIL_NONE && (flat.len != rights.len || !digest_sha256(flat, out)))
        r = fail_memory(report);
    buf_deinit(&rights);
    return r;
}
