/* Printing of queries and sources; the expressions are in print.c. */
#include "sql/lex.h"
#include "sql/print.h"

static const struct sql_span nowhere = {SQL_NOWHERE, SQL_NOWHERE};

/* -- sources ---------------------------------------------------------------------------------- */

void sql_put_alias(struct sql_printer *p, const struct sql_name *alias,
                   const struct sql_names *columns) {
    if (!sql_name_given(alias)) return;
    sql_put(p, STR(" AS "));
    sql_put_name(p, alias);
    if (columns->n == 0) return;
    sql_put_byte(p, '(');
    sql_put_names(p, columns);
    sql_put_byte(p, ')');
}

static void put_sample(struct sql_printer *p, const struct sql_sample *sample) {
    if (sample->kind == SQL_SAMPLE_NONE) return;
    sql_put(p, STR(" TABLESAMPLE ("));
    if (sample->kind == SQL_SAMPLE_BUCKET) sql_put(p, STR("BUCKET "));
    sql_put(p, sample->amount);
    switch (sample->kind) {
    case SQL_SAMPLE_NONE:
    case SQL_SAMPLE_BYTES: break;
    case SQL_SAMPLE_PERCENT: sql_put(p, STR(" PERCENT")); break;
    case SQL_SAMPLE_ROWS: sql_put(p, STR(" ROWS")); break;
    case SQL_SAMPLE_BUCKET:
        sql_put(p, STR(" OUT OF "));
        sql_put(p, sample->of);
        if (sample->on.n > 0) sql_put(p, STR(" ON "));
        sql_put_exprs(p, &sample->on);
        break;
    }
    sql_put_byte(p, ')');
}

static void put_travel(struct sql_printer *p, const struct sql_travel *travel) {
    if (travel->kind == SQL_TRAVEL_NONE) return;
    sql_put(p, travel->by_version ? STR(" VERSION ") : STR(" TIMESTAMP "));
    sql_put(p, travel->kind == SQL_TRAVEL_AS_OF ? STR("AS OF ") : STR("BETWEEN "));
    sql_put_operand(p, travel->from);
    if (travel->kind == SQL_TRAVEL_AS_OF) return;
    sql_put(p, STR(" AND "));
    sql_put_operand(p, travel->to);
}

static void put_values(struct sql_printer *p, const struct sql_source *source) {
    sql_put(p, p->dialect->values_in_parens ? STR("(VALUES ") : STR("VALUES "));
    for (size_t i = 0; i < source->values.n_rows; i++) {
        sql_put(p, i == 0 ? STR("(") : STR(", ("));
        sql_put_exprs(p, &source->values.rows[i].items);
        sql_put_byte(p, ')');
    }
    if (p->dialect->values_in_parens) sql_put_byte(p, ')');
    sql_put_alias(p, &source->alias, &source->columns);
}

/* Whatever applies from left to right needs parentheses where it stands on the right. */
static void put_single_source(struct sql_printer *p, const struct sql_source *source) {
    bool parens = source->kind == SQL_JOIN || source->kind == SQL_LATERAL;
    if (parens) sql_put_byte(p, '(');
    sql_put_source(p, source);
    if (parens) sql_put_byte(p, ')');
}

static void put_join(struct sql_printer *p, const struct sql_source *source) {
    const struct sql_join *join = &source->join;
    const char *word = join->kind <= SQL_JOIN_ANTI ? p->dialect->join[join->kind] : NULL;
    if (word == NULL) {
        sql_put_refusal(p, source->span, "%s has no way to write this join", p->dialect->name);
        return;
    }
    sql_put_source(p, join->left);
    if (join->kind == SQL_JOIN_COMMA)
        sql_putf(p, "%s%s ", word[0] == ',' ? "" : " ", word);
    else
        sql_putf(p, " %s%s ", join->natural ? "NATURAL " : "", word);
    put_single_source(p, join->right);
    if (join->on != NULL) {
        sql_put(p, STR(" ON "));
        sql_put_expr(p, join->on);
    }
    if (join->using.n == 0) return;
    sql_put(p, STR(" USING ("));
    sql_put_names(p, &join->using);
    sql_put_byte(p, ')');
}

static void put_lateral(struct sql_printer *p, const struct sql_source *source) {
    if (source->lateral.input != NULL) {
        sql_put_source(p, source->lateral.input);
        sql_put_byte(p, ' ');
    }
    sql_put(p, source->lateral.outer ? STR("LATERAL VIEW OUTER ") : STR("LATERAL VIEW "));
    sql_put_expr(p, source->lateral.call);
    sql_put_byte(p, ' ');
    sql_put_name(p, &source->alias);
    if (source->columns.n > 0) sql_put(p, STR(" AS "));
    sql_put_names(p, &source->columns);
}

static void put_columns(struct sql_printer *p, const struct sql_names *columns) {
    if (columns->n != 1) sql_put_byte(p, '(');
    sql_put_names(p, columns);
    if (columns->n != 1) sql_put_byte(p, ')');
}

static void put_pivot_value(struct sql_printer *p, const struct sql_pivot_value *value) {
    if (value->values.n != 1) sql_put_byte(p, '(');
    sql_put_exprs(p, &value->values);
    if (value->values.n != 1) sql_put_byte(p, ')');
    sql_put_alias(p, &value->alias, &(struct sql_names){0});
}

static void put_pivot(struct sql_printer *p, const struct sql_source *source) {
    const struct sql_pivot *pivot = source->pivot;
    put_single_source(p, pivot->input);
    sql_put(p, STR(" PIVOT ("));
    for (size_t i = 0; i < pivot->n_aggregates; i++) {
        const struct sql_item *item = &pivot->aggregates[i];
        if (i > 0) sql_put(p, STR(", "));
        sql_put_expr(p, item->expr);
        if (item->aliases.n > 0) sql_put_alias(p, &item->aliases.at[0], &(struct sql_names){0});
    }
    sql_put(p, STR(" FOR "));
    put_columns(p, &pivot->columns);
    sql_put(p, STR(" IN ("));
    for (size_t i = 0; i < pivot->n_in; i++) {
        if (i > 0) sql_put(p, STR(", "));
        put_pivot_value(p, &pivot->in[i]);
    }
    sql_put(p, STR("))"));
    sql_put_alias(p, &source->alias, &source->columns);
}

static void put_unpivot(struct sql_printer *p, const struct sql_source *source) {
    const struct sql_unpivot *unpivot = source->unpivot;
    put_single_source(p, unpivot->input);
    sql_put(p, unpivot->include_nulls ? STR(" UNPIVOT INCLUDE NULLS (") : STR(" UNPIVOT ("));
    put_columns(p, &unpivot->values);
    sql_put(p, STR(" FOR "));
    sql_put_name(p, &unpivot->name);
    sql_put(p, STR(" IN ("));
    for (size_t i = 0; i < unpivot->n_in; i++) {
        if (i > 0) sql_put(p, STR(", "));
        put_columns(p, &unpivot->in[i].columns);
        if (unpivot->in[i].label == NULL) continue;
        sql_put(p, STR(" AS "));
        sql_put_operand(p, unpivot->in[i].label);
    }
    sql_put(p, STR("))"));
    sql_put_alias(p, &source->alias, &source->columns);
}

static void put_table(struct sql_printer *p, const struct sql_source *source) {
    sql_put_path(p, &source->table);
    put_travel(p, &source->travel);
    put_sample(p, &source->sample);
    sql_put_alias(p, &source->alias, &source->columns);
}

static void put_derived(struct sql_printer *p, const struct sql_source *source) {
    sql_put_byte(p, '(');
    sql_put_query(p, source->query);
    sql_put_byte(p, ')');
    put_sample(p, &source->sample);
    sql_put_alias(p, &source->alias, &source->columns);
}

static void put_source_kind(struct sql_printer *p, const struct sql_source *source) {
    switch (source->kind) {
    case SQL_TABLE: put_table(p, source); return;
    case SQL_DERIVED: put_derived(p, source); return;
    case SQL_VALUES: put_values(p, source); return;
    case SQL_FUNCTION:
        sql_put_expr(p, source->call);
        put_sample(p, &source->sample);
        sql_put_alias(p, &source->alias, &source->columns);
        return;
    case SQL_JOIN: put_join(p, source); return;
    case SQL_LATERAL: put_lateral(p, source); return;
    case SQL_PIVOT: put_pivot(p, source); return;
    case SQL_UNPIVOT: put_unpivot(p, source); return;
    }
    sql_put_refusal(p, nowhere, "a tree holds no source where one belongs");
}

void sql_put_source(struct sql_printer *p, const struct sql_source *source) {
    if (p->failed != FAIL_NONE) return;
    if (source == NULL) {
        sql_put_refusal(p, nowhere, "a tree holds no source where one belongs");
        return;
    }
    if (!sql_put_descend(p, source->span)) return;
    if (p->dialect->source == NULL || !p->dialect->source(p, source)) put_source_kind(p, source);
    p->depth--;
}

/* -- GROUP BY --------------------------------------------------------------------------------- */

static void put_groups(struct sql_printer *p, const struct sql_group *groups, size_t n,
                       enum sql_group_kind within);

static void put_group(struct sql_printer *p, const struct sql_group *group,
                      enum sql_group_kind within) {
    bool parens = within == SQL_GROUP_SETS; /* older engines want ((a), (b)) */
    switch (group->kind) {
    case SQL_GROUP_EXPR:
        if (parens) sql_put_byte(p, '(');
        sql_put_expr(p, group->expr);
        if (parens) sql_put_byte(p, ')');
        return;
    case SQL_GROUP_LIST: break;
    case SQL_GROUP_ROLLUP: sql_put(p, STR("ROLLUP ")); break;
    case SQL_GROUP_CUBE: sql_put(p, STR("CUBE ")); break;
    case SQL_GROUP_SETS: sql_put(p, STR("GROUPING SETS ")); break;
    }
    sql_put_byte(p, '(');
    put_groups(p, group->items, group->n_items, group->kind);
    sql_put_byte(p, ')');
}

static void put_groups(struct sql_printer *p, const struct sql_group *groups, size_t n,
                       enum sql_group_kind within) {
    for (size_t i = 0; i < n; i++) {
        if (i > 0) sql_put(p, STR(", "));
        put_group(p, &groups[i], within);
    }
}

static void put_group_suffix(struct sql_printer *p, const struct sql_group_by *by) {
    if (by->suffix == SQL_GROUP_ROLLUP) sql_put(p, STR(" WITH ROLLUP"));
    if (by->suffix == SQL_GROUP_CUBE) sql_put(p, STR(" WITH CUBE"));
    if (by->suffix != SQL_GROUP_SETS) return;
    sql_put(p, STR(" GROUPING SETS ("));
    put_groups(p, by->sets, by->n_sets, SQL_GROUP_SETS);
    sql_put_byte(p, ')');
}

static void put_group_by(struct sql_printer *p, const struct sql_group_by *by) {
    if (by->n_items == 0) return;
    sql_put(p, STR(" GROUP BY "));
    if (p->dialect->group_by != NULL && p->dialect->group_by(p, by)) return;
    put_groups(p, by->items, by->n_items, SQL_GROUP_EXPR);
    put_group_suffix(p, by);
}

/* -- select blocks ------------------------------------------------------------------------------
 */

/* The names of hints are words, which back quotes would turn into something else. */
static void put_hint(struct sql_printer *p, const struct sql_hint *hint) {
    sql_put(p, hint->name.text);
    if (hint->args.n == 0) return;
    sql_put_byte(p, '(');
    sql_put_exprs(p, &hint->args);
    sql_put_byte(p, ')');
}

static void put_hints(struct sql_printer *p, const struct sql_select *select) {
    size_t n = 0;
    for (size_t i = 0; p->dialect->hints && i < select->n_hints; i++) {
        const struct sql_hint *hint = &select->hints[i];
        if (hint->name.quoting != SQL_BARE || !sql_is_bare_word(hint->name.text)) continue;
        sql_put(p, n++ == 0 ? STR(" /*+ ") : STR(", "));
        put_hint(p, hint);
    }
    if (n > 0) sql_put(p, STR(" */"));
}

void sql_put_items(struct sql_printer *p, const struct sql_select *select) {
    for (size_t i = 0; i < select->n_items; i++) {
        const struct sql_item *item = &select->items[i];
        if (i > 0) sql_put(p, STR(", "));
        if (p->dialect->item != NULL && p->dialect->item(p, item)) continue;
        sql_put_expr(p, item->expr);
        if (item->aliases.n == 0) continue;
        sql_put(p, item->listed ? STR(" AS (") : STR(" AS "));
        sql_put_names(p, &item->aliases);
        if (item->listed) sql_put_byte(p, ')');
    }
}

static void put_clause(struct sql_printer *p, struct str word, const struct sql_expr *expr) {
    if (expr == NULL) return;
    sql_put(p, word);
    sql_put_expr(p, expr);
}

static void put_windows(struct sql_printer *p, const struct sql_select *select) {
    for (size_t i = 0; i < select->n_windows; i++) {
        const struct sql_window *window = select->windows[i].window;
        sql_put(p, i == 0 ? STR(" WINDOW ") : STR(", "));
        sql_put_name(p, &select->windows[i].name);
        sql_put(p, window->is_name ? STR(" AS ") : STR(" AS ("));
        if (window->is_name)
            sql_put_name(p, &window->base);
        else
            sql_put_window(p, window);
        if (!window->is_name) sql_put_byte(p, ')');
    }
}

/* LATERAL VIEW may stand without a FROM. */
static bool has_from(const struct sql_source *source) {
    while (source != NULL && source->kind == SQL_LATERAL) source = source->lateral.input;
    return source != NULL;
}

void sql_put_clauses(struct sql_printer *p, const struct sql_select *select) {
    if (select->from != NULL) {
        sql_put(p, has_from(select->from) ? STR(" FROM ") : STR(" "));
        sql_put_source(p, select->from);
    }
    put_clause(p, STR(" WHERE "), select->where);
    put_group_by(p, &select->group_by);
    put_clause(p, STR(" HAVING "), select->having);
    put_windows(p, select);
}

static void put_select(struct sql_printer *p, const struct sql_select *select) {
    sql_put(p, STR("SELECT"));
    put_hints(p, select);
    sql_put(p, select->distinct ? STR(" DISTINCT ") : STR(" "));
    sql_put_items(p, select);
    sql_put_clauses(p, select);
    put_clause(p, STR(" QUALIFY "), select->qualify);
}

/* -- queries ---------------------------------------------------------------------------------- */

static void put_order_clause(struct sql_printer *p, struct str word, const struct sql_order *order,
                             size_t n) {
    if (n == 0) return;
    sql_put(p, word);
    sql_put_order(p, order, n);
}

static void put_exprs_clause(struct sql_printer *p, struct str word,
                             const struct sql_exprs *exprs) {
    if (exprs->n == 0) return;
    sql_put(p, word);
    sql_put_exprs(p, exprs);
}

/* What begins with a word stands in brackets: in `LIMIT NULL` LIMIT would be an alias. */
static void put_count(struct sql_printer *p, const struct sql_expr *count) {
    bool is_number = count->kind == SQL_LITERAL && count->literal.kind >= SQL_INTEGER &&
                     count->literal.kind <= SQL_DECIMAL;
    if (!is_number) sql_put_byte(p, '(');
    sql_put_expr(p, count);
    if (!is_number) sql_put_byte(p, ')');
}

void sql_put_tail(struct sql_printer *p, const struct sql_tail *tail) {
    if (p->dialect->tail != NULL && p->dialect->tail(p, tail)) return;
    put_order_clause(p, STR(" ORDER BY "), tail->order, tail->n_order);
    put_exprs_clause(p, STR(" CLUSTER BY "), &tail->cluster);
    put_exprs_clause(p, STR(" DISTRIBUTE BY "), &tail->distribute);
    put_order_clause(p, STR(" SORT BY "), tail->sort, tail->n_sort);
    if (tail->zorder.n > 0) sql_put(p, STR(" ZORDER BY "));
    sql_put_names(p, &tail->zorder);
    if (tail->limit.count == NULL) return;
    sql_put(p, STR(" LIMIT "));
    put_count(p, tail->limit.count);
    if (tail->limit.offset == NULL) return;
    sql_put(p, STR(" OFFSET "));
    put_count(p, tail->limit.offset);
}

static void put_ctes(struct sql_printer *p, const struct sql_query *query) {
    for (size_t i = 0; i < query->n_ctes; i++) {
        const struct sql_cte *cte = &query->ctes[i];
        sql_put(p, i == 0 ? STR("WITH ") : STR(", "));
        sql_put_name(p, &cte->name);
        if (cte->columns.n > 0) {
            sql_put_byte(p, '(');
            sql_put_names(p, &cte->columns);
            sql_put_byte(p, ')');
        }
        sql_put(p, STR(" AS ("));
        sql_put_query(p, cte->query);
        sql_put_byte(p, ')');
    }
    if (query->n_ctes > 0) sql_put_byte(p, ' ');
}

/* Every branch in parentheses, so that no reader's precedence of set operators counts. */
static void put_set(struct sql_printer *p, const struct sql_query *query) {
    const char *word = query->set_op <= SQL_MINUS ? p->dialect->set_op[query->set_op] : NULL;
    if (word == NULL) {
        sql_put_refusal(p, query->span, "%s has no such set operator", p->dialect->name);
        return;
    }
    for (size_t i = 0; i < query->n_branches; i++) {
        if (i > 0) sql_putf(p, " %s%s ", word, query->set_all ? " ALL" : "");
        sql_put_byte(p, '(');
        sql_put_query(p, query->branches[i]);
        sql_put_byte(p, ')');
    }
}

/* With its tail. */
static void put_query_kind(struct sql_printer *p, const struct sql_query *query) {
    switch (query->kind) {
    case SQL_SELECT:
        if (p->dialect->select != NULL && p->dialect->select(p, query)) return;
        put_select(p, query->select);
        sql_put_tail(p, &query->tail);
        return;
    case SQL_SET:
        put_set(p, query);
        sql_put_tail(p, &query->tail);
        return;
    }
    sql_put_refusal(p, nowhere, "a tree holds no query where one belongs");
}

void sql_put_query(struct sql_printer *p, const struct sql_query *query) {
    if (p->failed != FAIL_NONE) return;
    if (query == NULL) {
        sql_put_refusal(p, nowhere, "a tree holds no query where one belongs");
        return;
    }
    if (!sql_put_descend(p, query->span)) return;
    put_ctes(p, query);
    put_query_kind(p, query);
    p->depth--;
}
