/* Links held against the catalogue of approved joins: see joins.h. */
#include "base/always.h"
#include "sql/joins_inner.h"

static bool is_same_pair(const struct join_link *a, const struct join_link *b) {
    return a->left.leaf == b->left.leaf && a->right.leaf == b->right.leaf &&
           a->left.column->source == b->left.column->source &&
           a->right.column->source == b->right.column->source;
}

/* All links of two tables look in one direction, so that groups can be compared. */
static void turn(struct join_link *link) {
    uint32_t left = link->left.leaf->number, right = link->right.leaf->number;
    if (left <= right) return; /* never equal: what is one source is no join */
    struct join_end end = link->left;
    link->left = link->right;
    link->right = end;
}

static bool is_table(const struct schema_relation *relation, struct str project, struct str schema,
                     struct str name) {
    return str_ieq(relation->project, project) && str_ieq(relation->schema, schema) &&
           str_ieq(relation->name, name);
}

static bool joins_tables(const struct grant_join *entry, const struct schema_relation *left,
                         const struct schema_relation *right) {
    return is_table(left, entry->left_project, entry->left_schema, entry->left_table) &&
           is_table(right, entry->right_project, entry->right_schema, entry->right_table);
}

static const struct schema_relation *table_of(const struct join_end *end) {
    return end->column->source->relation->schema;
}

static struct str column_of(const struct join_end *end) {
    return table_of(end)->columns[end->column->index].name;
}

/* The place in `on` of a link that lies in the entry's direction, or on the entry's n_on. */
static size_t find_on(const struct grant_join *entry, const struct join_end *left,
                      const struct join_end *right) {
    for (size_t i = 0; i < entry->n_on; i++)
        if (str_ieq(entry->on[i].left, column_of(left)) &&
            str_ieq(entry->on[i].right, column_of(right)))
            return i;
    return entry->n_on;
}

static bool has_on(const struct joiner *j, const struct join_link *of,
                   const struct grant_join *entry, size_t on, bool is_turned) {
    for (size_t i = 0; i < j->n_links; i++) {
        const struct join_link *link = &j->links[i];
        if (!is_same_pair(of, link)) continue;
        const struct join_end *left = is_turned ? &link->right : &link->left;
        const struct join_end *right = is_turned ? &link->left : &link->right;
        if (str_ieq(entry->on[on].left, column_of(left)) &&
            str_ieq(entry->on[on].right, column_of(right)))
            return true;
    }
    return false;
}

/* Rule 1: the links of these two tables are the entry's on-fields, all and no others. */
static bool fits(const struct joiner *j, const struct join_link *of, const struct grant_join *entry,
                 bool is_turned) {
    if (entry->n_on == 0) return false;
    for (size_t i = 0; i < j->n_links; i++) {
        const struct join_link *link = &j->links[i];
        if (!is_same_pair(of, link)) continue;
        const struct join_end *left = is_turned ? &link->right : &link->left;
        const struct join_end *right = is_turned ? &link->left : &link->right;
        if (find_on(entry, left, right) == entry->n_on) return false;
    }
    for (size_t i = 0; i < entry->n_on; i++)
        if (!has_on(j, of, entry, i, is_turned)) return false;
    return true;
}

/* One link of a pair of tables answers for all of them. */
static bool is_first_of_pair(const struct joiner *j, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (is_same_pair(&j->links[i], &j->links[index])) return false;
    return true;
}

static bool is_approved(const struct joiner *j, const struct join_link *link) {
    const struct schema_relation *left = table_of(&link->left);
    const struct schema_relation *right = table_of(&link->right);
    for (size_t i = 0; i < j->r->grant->n_joins; i++) {
        const struct grant_join *entry = &j->r->grant->joins[i];
        if (joins_tables(entry, left, right) && fits(j, link, entry, false)) return true;
        if (joins_tables(entry, right, left) && fits(j, link, entry, true)) return true;
    }
    return false;
}

/* -- what hangs together ---------------------------------------------------------------------- */

struct groups {
    uint32_t *parent; /* by source number */
};

static uint32_t group_of(const struct groups *g, uint32_t number) {
    while (g->parent[number] != number) {
        g->parent[number] = g->parent[g->parent[number]];
        number = g->parent[number];
    }
    return number;
}

static void unite(const struct groups *g, const struct resolved_source *a,
                  const struct resolved_source *b) {
    g->parent[group_of(g, a->number)] = group_of(g, b->number);
}

/* Some link relates `outer` to a source at or beneath `from`. */
static bool is_linked(const struct joiner *j, const struct resolved_source *outer,
                      const struct resolved_source *from) {
    for (size_t i = 0; i < j->n_links; i++) {
        const struct join_link *link = &j->links[i];
        if (link->left.leaf == outer && link->right.leaf == from) return true;
        if (link->right.leaf == outer && link->left.leaf == from) return true;
    }
    const struct resolved_source *const sides[] = {from->left, from->right};
    for (size_t i = 0; i < COUNT(sides); i++)
        if (sides[i] != NULL && is_linked(j, outer, sides[i])) return true;
    return false;
}

/* The first source with a base table that does not hang together with `first`; NULL: none. */
static const struct resolved_source *find_loose(struct joiner *j, const struct groups *g,
                                                const struct resolved_source *from,
                                                const struct resolved_source **first) {
    if (from->source->kind == SQL_JOIN || from->source->kind == SQL_LATERAL) {
        const struct resolved_source *found = NULL;
        /* a LATERAL VIEW may stand without FROM */
        if (from->left != NULL) found = find_loose(j, g, from->left, first);
        if (found == NULL && from->right != NULL) found = find_loose(j, g, from->right, first);
        return found;
    }
    if (joins_tables_of(j, from) == 0) return NULL;
    if (*first == NULL) {
        *first = from;
        return NULL;
    }
    return group_of(g, from->number) == group_of(g, (*first)->number) ? NULL : from;
}

/* Rule 3, for the topmost JOIN of each FROM. */
static result check_trees(struct joiner *j, const struct groups *g, bool is_strict) {
    for (size_t i = 0; i < j->r->n_sources; i++) {
        const struct resolved_source *source = j->r->sources[i];
        if (NEVER(source->block == NULL) || source->block->from != source) continue;
        const struct resolved_source *first = NULL;
        const struct resolved_source *loose = find_loose(j, g, source, &first);
        if (loose == NULL) continue;
        j->found->has_cross_join = true;
        if (is_strict) return joins_refuse(j, first, loose, loose->source->span);
    }
    return OK;
}

result joins_approve(struct joiner *j) {
    bool is_strict = !j->r->grant->allow_unapproved_join;
    struct groups g = {arena_new_array(j->arena, j->r->n_sources, uint32_t)};
    if (g.parent == NULL) return fail_memory(j->report);
    for (size_t i = 0; i < j->r->n_sources; i++) g.parent[i] = (uint32_t)i;
    for (size_t i = 0; i < j->n_links; i++) turn(&j->links[i]);
    for (size_t i = 0; i < j->n_links; i++) {
        const struct join_link *link = &j->links[i];
        if (is_strict && is_first_of_pair(j, i) && !is_approved(j, link))
            return joins_refuse(j, link->left.leaf, link->right.leaf, link->span);
        unite(&g, link->left.leaf, link->right.leaf);
    }
    for (size_t i = 0; i < j->n_needs; i++) {
        const struct join_need *need = &j->needs[i];
        if (is_strict && !is_linked(j, need->left, need->right))
            return joins_refuse(j, need->left, need->right, need->span);
        if (!is_strict) unite(&g, need->left, need->right);
    }
    return check_trees(j, &g, is_strict);
}
