/*
 * Random statements for the taint test: say_statement() and what it is made of. Expressions are in
 * taint_say.h, the tables in taint_warehouse.h.
 *
 * FROM is said before the select list, because the list needs its names, and then turned around
 * (or left so: FROM … SELECT … is MaxCompute, too).
 */
#ifndef TEST_TAINT_QUERY_H
#define TEST_TAINT_QUERY_H

#include "taint_say.h"
#include "taint_warehouse.h"

static inline void say_query(struct say *g, struct say_scope *outer, const char *types,
                             unsigned depth);

/* -- sources ---------------------------------------------------------------------------------- */

static inline void say_add_field(struct say_scope *scope, const char *alias, char letter,
                                 bool is_order, const char *name) {
    char full[SAY_NAME];
    snprintf(full, sizeof full, "%.12s.%.30s", alias, name);
    say_add(scope, letter, is_order, full);
}

static inline void say_add_table(struct say_scope *scope, const char *alias,
                                 const struct taint_table *table) {
    for (const struct taint_field *f = table->fields; f->name != NULL; f++) {
        say_add_field(scope, alias, f->letter == 'k' ? 'k' : f->letter, f->letter == 'k', f->name);
        if (f->cell != CELL_STRUCT) continue;
        say_add_field(scope, alias, 's', false, "ext.channel");
        say_add_field(scope, alias, 's', false, "ext.device.os");
        say_add_field(scope, alias, 'S', false, "ext.ip");
        say_add_field(scope, alias, 'S', false, "ext.device.imei");
    }
}

/* The columns of a query that gives these types are c1, c2, … */
static inline void say_add_types(struct say_scope *scope, const char *alias, const char *types) {
    char name[32];
    for (size_t i = 0; types[i] != '\0'; i++) {
        snprintf(name, sizeof name, "c%zu", i + 1);
        say_add_field(scope, alias, types[i], true, name);
    }
}

static inline void say_types(struct say *g, char out[SAY_ITEMS + 1], const char *letters) {
    size_t n = 1 + say_below(g, 3);
    for (size_t i = 0; i < n; i++) out[i] = letters[say_below(g, strlen(letters))];
    out[n] = '\0';
}

static inline void say_table(struct say *g, struct say_scope *scope, const char *alias) {
    const struct taint_table *table = &SAY_ONE_OF(g, taint_tables);
    for (size_t i = g->n_ctes; i-- > 0;) { /* a name that a CTE has taken is the CTE */
        if (strcmp(g->ctes[i].name, table->name) != 0) continue;
        say_put(g, "%s %s", table->name, alias);
        say_add_types(scope, alias, g->ctes[i].types);
        return;
    }
    if (say_chance(g, 8)) {
        say_put(g, "(SELECT * FROM %s) %s", table->name, alias);
    } else if (say_chance(g, 12)) {
        say_put(g, "%s", table->name);
        alias = table->name;
    } else {
        say_put(g, "%s%s %s", say_chance(g, 10) ? "home.default." : "", table->name, alias);
    }
    say_add_table(scope, alias, table);
}

static inline void say_source(struct say *g, struct say_scope *scope, unsigned depth) {
    char alias[SAY_NAME], types[SAY_ITEMS + 1];
    snprintf(alias, sizeof alias, "t%u", ++g->serial);
    if (g->n_ctes > 0 && say_chance(g, 40)) {
        const struct say_cte *cte = &g->ctes[say_below(g, g->n_ctes)];
        say_put(g, "%s %s", cte->name, alias);
        say_add_types(scope, alias, cte->types);
    } else if (say_chance(g, 3)) {
        say_put(g, "(VALUES (1, 'a'), (%u, 'x')) %s (c1, c2)", say_below(g, 5), alias);
        say_add_types(scope, alias, "is");
    } else if (depth > 0 && g->queries > 0 && say_chance(g, 22)) {
        say_types(g, types, "iisssdbt");
        say_put(g, "(");
        say_query(g, NULL, types, depth - 1);
        say_put(g, ") %s", alias);
        say_add_types(scope, alias, types);
    } else {
        say_table(g, scope, alias);
    }
}

/* -- joins ------------------------------------------------------------------------------------ */

/* A column of the sources from `from` up to `to` that fits; NULL: none. */
static inline const char *say_side(struct say *g, const struct say_scope *scope, size_t from,
                                   size_t to, char type) {
    const char *found = NULL;
    unsigned n = 0;
    for (size_t i = from; i < to; i++)
        if (say_fits(scope->at[i].letter, type) && say_below(g, ++n) == 0)
            found = scope->at[i].name;
    return found;
}

static inline void say_on(struct say *g, struct say_scope *scope, size_t middle, unsigned depth) {
    char type = say_chance(g, 75) ? 'i' : 's';
    const char *left = say_side(g, scope, 0, middle, type);
    const char *right = say_side(g, scope, middle, scope->n, type);
    say_put(g, " ON ");
    if (left == NULL || right == NULL)
        say_expr(g, scope, 'b', depth);
    else
        say_put(g, "%s = %s", left, right);
    if (!say_chance(g, 35)) return;
    say_put(g, " AND ");
    say_expr(g, scope, 'b', depth > 1 ? 1 : depth);
}

static inline void say_join(struct say *g, struct say_scope *scope, unsigned depth) {
    static const char *const kinds[] = {"JOIN",           "INNER JOIN",
                                        "LEFT JOIN",      "LEFT OUTER JOIN",
                                        "RIGHT JOIN",     "FULL OUTER JOIN",
                                        "LEFT SEMI JOIN", "LEFT ANTI JOIN",
                                        "CROSS JOIN",     ","};
    size_t kind = say_below(g, COUNT(kinds)), middle = scope->n;
    say_put(g, " %s ", kinds[kind]);
    say_source(g, scope, depth);
    if (kind < 8) say_on(g, scope, middle, depth);
    if (kind == 6 || kind == 7) scope->n = middle;
}

/* USING and NATURAL, on what these tables share. */
static inline void say_common_join(struct say *g, struct say_scope *scope) {
    unsigned a = ++g->serial, b = ++g->serial;
    char left[SAY_NAME], right[SAY_NAME];
    const char *side = say_chance(g, 60) ? "" : say_chance(g, 50) ? "LEFT " : "FULL ";
    snprintf(left, sizeof left, "t%u", a);
    snprintf(right, sizeof right, "t%u", b);
    if (say_chance(g, 50))
        say_put(g, "users %s NATURAL %sJOIN events %s", left, side, right);
    else
        say_put(g, "users %s %sJOIN events %s USING (user_id)", left, side, right);
    say_add_table(scope, left, &taint_tables[1]);
    say_add_table(scope, right, &taint_tables[2]);
}

static inline void say_lateral(struct say *g, struct say_scope *scope, unsigned depth) {
    static const struct {
        const char *call, *columns, *types;
    } views[] = {{"explode($a)", "c1", "s"},
                 {"posexplode($a)", "c1, c2", "is"},
                 {"explode($m)", "c1, c2", "ss"},
                 {"json_tuple($s, 'a', 'b')", "c1, c2", "ss"},
                 {"stack(2, $s, $i, $s, $i)", "c1, c2", "si"},
                 {"explode(split($s, $l))", "c1", "s"}};
    size_t i = say_below(g, COUNT(views));
    char alias[SAY_NAME];
    snprintf(alias, sizeof alias, "t%u", ++g->serial);
    say_put(g, " LATERAL VIEW %s", say_chance(g, 30) ? "OUTER " : "");
    say_template(g, scope, views[i].call, depth > 1 ? 1 : depth);
    say_put(g, " %s AS %s", alias, views[i].columns);
    say_add_types(scope, alias, views[i].types);
}

static inline void say_from(struct say *g, struct say_scope *scope, unsigned depth) {
    say_put(g, "FROM ");
    if (say_chance(g, 5)) {
        say_common_join(g, scope);
    } else {
        say_source(g, scope, depth);
        for (unsigned joins = 0; joins < 2 && say_chance(g, 28); joins++) say_join(g, scope, depth);
    }
    if (say_chance(g, 12)) say_lateral(g, scope, depth);
}

/* -- the select list -------------------------------------------------------------------------- */

static inline void say_item(struct say *g, struct say_scope *scope, char type, unsigned depth) {
    if (type == 'i' && say_chance(g, 15))
        say_template(g, scope, SAY_ONE_OF(g, say_int_windows), depth > 1 ? 1 : depth);
    else if (type == 's' && say_chance(g, 10))
        say_template(g, scope, SAY_ONE_OF(g, say_string_windows), depth > 1 ? 1 : depth);
    else
        say_expr(g, scope, type, depth);
}

static inline void say_items(struct say *g, struct say_scope *scope, const char *types,
                             unsigned depth) {
    say_put(g, "SELECT %s", say_chance(g, 8) ? "DISTINCT " : say_chance(g, 4) ? "ALL " : "");
    for (size_t i = 0; types[i] != '\0'; i++) {
        if (i > 0) say_put(g, ", ");
        say_item(g, scope, types[i], depth);
        say_put(g, " AS c%zu", i + 1);
    }
    say_put(g, " ");
}

static inline void say_aggregate(struct say *g, struct say_scope *scope, char type,
                                 unsigned depth) {
    switch (type) {
    case 'i': say_template(g, scope, SAY_ONE_OF(g, say_int_aggregates), depth); return;
    case 's': say_template(g, scope, SAY_ONE_OF(g, say_string_aggregates), depth); return;
    case 'd': say_template(g, scope, SAY_ONE_OF(g, say_double_aggregates), depth); return;
    case 'b': say_template(g, scope, "max($i) > $n", depth); return;
    case 't': say_template(g, scope, "max($t)", depth); return;
    default: say_template(g, scope, "sort_array(collect_list($s))", depth); return;
    }
}

struct say_keys {
    char at[2][800];
    size_t n;
};

static inline void say_make_keys(struct say *g, struct say_scope *scope, const char *types,
                                 unsigned depth, struct say_keys *keys) {
    keys->n = say_below(g, 3);
    if (keys->n > strlen(types)) keys->n = strlen(types);
    for (size_t i = 0; i < keys->n; i++) {
        size_t from = g->n;
        if (!say_chance(g, 60) || !say_column(g, scope, types[i]))
            say_expr(g, scope, types[i], depth > 1 ? 1 : depth);
        say_take(g, from, keys->at[i], sizeof keys->at[i], "1 + 1");
    }
}

static inline void say_group_items(struct say *g, struct say_scope *scope, const char *types,
                                   const struct say_keys *keys, unsigned depth) {
    say_put(g, "SELECT ");
    for (size_t i = 0; types[i] != '\0'; i++) {
        if (i > 0) say_put(g, ", ");
        if (i < keys->n)
            say_put(g, "%s", keys->at[i]);
        else
            say_aggregate(g, scope, types[i], depth > 1 ? 1 : depth);
        say_put(g, " AS c%zu", i + 1);
    }
    say_put(g, " ");
}

static inline void say_group_by(struct say *g, const struct say_keys *keys) {
    const char *a = keys->at[0], *b = keys->at[1];
    if (keys->n == 0) return;
    unsigned form = keys->n == 2 ? say_below(g, 8) : 4 + say_below(g, 4);
    switch (form) {
    case 0: say_put(g, " GROUP BY %s, %s GROUPING SETS ((%s), (%s), ())", a, b, a, b); return;
    case 1: say_put(g, " GROUP BY CUBE(%s, %s)", a, b); return;
    case 2: say_put(g, " GROUP BY ROLLUP(%s, %s)", a, b); return;
    case 3: say_put(g, " GROUP BY %s, %s WITH ROLLUP", a, b); return;
    default: say_put(g, " GROUP BY %s%s%s", a, keys->n == 2 ? ", " : "", keys->n == 2 ? b : "");
    }
}

/* -- a block, a query ------------------------------------------------------------------------- */

static inline void say_reverse(char *text, size_t n) {
    for (size_t i = 0; i < n / 2; i++) {
        char c = text[i];
        text[i] = text[n - 1 - i];
        text[n - 1 - i] = c;
    }
}

/* What was said from `first` to `second` goes behind what was said since. */
static inline void say_swap(struct say *g, size_t first, size_t second) {
    say_reverse(g->text + first, second - first);
    say_reverse(g->text + second, g->n - second);
    say_reverse(g->text + first, g->n - first);
}

static inline void say_where(struct say *g, struct say_scope *scope, unsigned depth) {
    if (!say_chance(g, 60)) return;
    say_put(g, " WHERE ");
    say_expr(g, scope, 'b', depth);
    for (size_t i = 0; i < scope->n; i++) {
        if (!str_ends(str_of(scope->at[i].name), STR(".ds")) || !say_chance(g, 15)) continue;
        say_put(g, " AND %s >= '20240102'", scope->at[i].name);
        return;
    }
}

static inline void say_grouped(struct say *g, struct say_scope *scope, const char *types,
                               unsigned depth, size_t start) {
    struct say_keys keys;
    size_t middle = g->n;
    say_make_keys(g, scope, types, depth, &keys);
    say_group_items(g, scope, types, &keys, depth);
    say_swap(g, start, middle);
    say_where(g, scope, depth);
    say_group_by(g, &keys);
    if (!say_chance(g, 30)) return;
    say_put(g, " HAVING ");
    say_aggregate(g, scope, 'i', 1);
    say_put(g, " > %u", say_below(g, 4));
}

static inline void say_plain(struct say *g, struct say_scope *scope, const char *types,
                             unsigned depth, size_t start) {
    size_t middle = g->n;
    bool is_from_first = say_chance(g, 4);
    if (is_from_first) say_put(g, " ");
    say_items(g, scope, types, depth);
    if (!is_from_first) say_swap(g, start, middle);
    say_where(g, scope, depth);
    if (!say_chance(g, 6)) return;
    say_template(g, scope, " QUALIFY row_number() OVER (PARTITION BY $s ORDER BY $i, $O) <= $n", 1);
}

static inline void say_block(struct say *g, struct say_scope *outer, const char *types,
                             unsigned depth) {
    struct say_scope scope;
    size_t start = g->n;
    scope.n = 0;
    scope.outer = outer;
    if (g->queries > 0) g->queries--;
    say_from(g, &scope, depth);
    say_put(g, " ");
    if (say_chance(g, 30))
        say_grouped(g, &scope, types, depth, start);
    else
        say_plain(g, &scope, types, depth, start);
}

/* All columns, so that what a LIMIT cuts is one and the same; DESC and NULLs as they come. */
static inline void say_tail(struct say *g, const char *types) {
    g->has_tail = false;
    if (strchr(types, 'a') != NULL || strchr(types, 'm') != NULL || !say_chance(g, 25)) return;
    g->has_tail = true;
    say_put(g, " ORDER BY ");
    for (size_t i = 0; types[i] != '\0'; i++)
        say_put(g, "%sc%zu%s", i > 0 ? ", " : "", i + 1,
                SAY_ONE_OF(g, ((const char *const[]){"", " DESC", " NULLS LAST", ""})));
    if (!say_chance(g, 60)) return;
    say_put(g, " LIMIT %u", say_below(g, 9) + 1);
    if (say_chance(g, 15)) say_put(g, " OFFSET %u", say_below(g, 4));
}

static inline void say_with(struct say *g, unsigned depth) {
    const char *before = "WITH ";
    for (unsigned n = 1 + say_below(g, 2); n > 0 && g->n_ctes < SAY_CTES; n--) {
        struct say_cte made;
        bool is_shadow = say_chance(g, 30);
        snprintf(made.name, sizeof made.name, is_shadow ? "%s" : "w%s%u",
                 is_shadow ? SAY_ONE_OF(g, taint_tables).name : "", ++g->serial);
        say_types(g, made.types, "iisssdbt");
        say_put(g, "%s%s AS (", before, made.name);
        say_query(g, NULL, made.types, depth > 0 ? depth - 1 : 0);
        say_put(g, ")");
        g->ctes[g->n_ctes++] = made;
        before = ", ";
    }
    say_put(g, " ");
}

static inline void say_query(struct say *g, struct say_scope *outer, const char *types,
                             unsigned depth) {
    static const char *const sets[] = {"UNION ALL", "UNION", "UNION DISTINCT", "INTERSECT",
                                       "EXCEPT",    "MINUS", "INTERSECT ALL",  "EXCEPT ALL"};
    size_t n_ctes = g->n_ctes;
    if (depth > 0 && outer == NULL && say_chance(g, 12)) say_with(g, depth);
    say_block(g, outer, types, depth);
    if (depth > 0 && strchr(types, 'a') == NULL && say_chance(g, 12)) {
        say_put(g, " %s ", SAY_ONE_OF(g, sets));
        say_block(g, outer, types, depth - 1);
    }
    say_tail(g, types);
    g->n_ctes = n_ctes;
}

static inline void say_nested(struct say *g, struct say_scope *scope, char form, unsigned depth) {
    struct say_scope *outer = say_chance(g, 50) ? scope : NULL;
    if (g->queries == 0) {
        say_put(g, form == 'E' ? "TRUE" : form == 'N' ? "(1, 2)" : form == 'M' ? "('a')" : "NULL");
        return;
    }
    if (form == 'E') say_put(g, "EXISTS ");
    if (form == 'I' || form == 'S') {
        struct say_scope own = {.n = 0, .outer = outer};
        size_t start = g->n;
        g->queries--;
        say_from(g, &own, 0);
        size_t middle = g->n;
        say_put(g, "(SELECT ");
        say_aggregate(g, &own, form == 'I' ? 'i' : 's', 0);
        say_put(g, " AS c1 ");
        say_swap(g, start, middle);
        say_where(g, &own, 1);
        say_put(g, ")");
        return;
    }
    say_put(g, "(");
    say_block(g, outer, form == 'M' ? "s" : "i", depth > 1 ? 1 : depth);
    say_put(g, ")");
}

/* -- a statement ------------------------------------------------------------------------------ */

/* What has no list of typed items: stars, PIVOT and the like. @ is a table's name. */
static const char *const say_shapes[] = {
    "SELECT * FROM @",
    "SELECT t.* FROM @ t JOIN users u ON t.user_id = u.user_id",
    "SELECT `(id|ds|.*secret)?+.+` FROM @",
    "SELECT count(*) AS n FROM @",
    "SELECT count(t.*) AS n FROM @ t",
    "SELECT * FROM (SELECT note, region, qty FROM orders) p PIVOT (sum(qty) AS q FOR note IN "
    "('pen', 'x', 'b'))",
    "SELECT * FROM (SELECT num, pat, qty FROM orders) p PIVOT (min(qty) AS q, max(pat) AS m FOR "
    "num IN ('5', '12'))",
    "SELECT * FROM (SELECT id, num, dt FROM orders) p UNPIVOT (w FOR c IN (num, dt))",
    "SELECT * FROM (SELECT event_id, val, user_id FROM events) p UNPIVOT (w FOR c IN (val, "
    "user_id))",
    "SELECT *, rank() OVER w AS c1 FROM @ WINDOW w AS (PARTITION BY ds ORDER BY user_id, ds)",
    "SELECT /*+ MAPJOIN(u) */ o.id, u.name FROM orders o JOIN users u ON o.user_id = u.user_id",
    "SELECT DISTINCT * FROM @",
    "SELECT * FROM @ DISTRIBUTE BY user_id SORT BY user_id",
    "SELECT * FROM @ a LEFT SEMI JOIN (SELECT * FROM users) b ON a.user_id = b.user_id",
    "SELECT *, length(secret) AS n FROM @",
    "SELECT ext FROM orders",
    "SELECT max_pt('home.orders') AS p, count(*) AS n FROM orders",
    "SELECT count(*) AS n FROM @ WHERE ds = max_pt('home.@')",
    "SELECT nosuch FROM @",
    "SELECT count(*) AS n FROM (SELECT user_id FROM @ LIMIT 5) q",
    "SELECT note, sum(qty) OVER w AS c1 FROM orders WINDOW w AS (PARTITION BY num ORDER BY id)",
    "SELECT user_id, note FROM orders QUALIFY dense_rank() OVER (ORDER BY qty) <= 2",
    "SELECT region, num, grouping(region) AS g, count(*) AS n FROM orders GROUP BY region, num "
    "GROUPING SETS ((region), (num), ())",
    "SELECT id, ext.channel, ext.device.os FROM orders WHERE ext.device.os = 'ios'",
    "SELECT id, CAST(ext.channel AS BIGINT) AS n FROM orders",
    "SELECT card, birth, count(*) AS n FROM orders GROUP BY card, birth",
    "SELECT mail, max(phone) AS p FROM users GROUP BY mail",
    "SELECT u.name FROM users u WHERE (u.user_id, u.name) IN (SELECT user_id, note FROM orders)",
    "SELECT explode(tags) AS e FROM orders",
    "SELECT posexplode(labels) AS (p, e) FROM events",
};

static inline void say_shape(struct say *g) {
    const char *shape = SAY_ONE_OF(g, say_shapes);
    const char *table = SAY_ONE_OF(g, taint_tables).name;
    struct say_scope scope = {.n = 0};
    for (const char *at = shape; *at != '\0'; at++)
        if (*at == '@')
            say_put(g, "%s", table);
        else
            say_put(g, "%c", *at);
    if (strstr(shape, "WHERE") != NULL || !say_chance(g, 30)) return;
    if (strchr(shape, '@') == NULL || strlen(shape) > 40) return;
    say_add_types(&scope, "nosuch", "");
    say_put(g, " WHERE user_id %s %u", say_chance(g, 50) ? "<" : "=", say_below(g, 9));
}

/* One statement in g->text, which hangs on `seed` alone. */
static inline void say_statement(struct say *g, uint64_t seed) {
    char types[SAY_ITEMS + 1];
    g->state = seed;
    g->n = g->n_ctes = g->loose = 0;
    g->serial = g->n_outer = 0;
    g->is_full = false;
    g->queries = 5;
    g->text[0] = '\0';
    if (say_chance(g, 12)) {
        say_shape(g);
        return;
    }
    say_types(g, types, "iiissssddbta");
    say_query(g, NULL, types, 1 + say_below(g, 3));
    if (g->has_tail || !say_chance(g, 8)) return;
    g->loose = g->n;
    say_put(g, " LIMIT %u", say_below(g, 6) + 1);
}

#endif
