/* One table of policy.yaml, compiled. */
#include "base/limits.h"
#include "policy/file.h"
#include "policy/inner.h"

struct compiler {
    const struct binder *binder;
    const struct table_row *row;
    struct policy_entry *entry;
    bool has_salt;
};

/* The node of item i of a list of the table, for complaints. */
static const struct yaml *item_of(const struct compiler *c, const char *list, size_t i) {
    const struct yaml *node = yaml_get(c->row->head.node, str_of(list));
    return node != NULL && node->type == YAML_LIST && i < node->n ? &node->items[i] : node;
}

static bool is_column(struct str name) {
    return bind_is_name(name) && str_find_byte(name, '`') == name.len;
}

/* -- columns ---------------------------------------------------------------------------------- */

static struct column_rule *rule_of(const struct compiler *c, struct str column) {
    struct column_rule *rule = map_get(&c->entry->columns, column);
    if (rule != NULL) return rule;
    struct str lower = str_lower(c->binder->arena, column);
    rule = arena_new(c->binder->arena, struct column_rule);
    if (rule == NULL || lower.ptr == NULL || !map_put(&c->entry->columns, lower, rule)) return NULL;
    return rule;
}

static result allow_columns(const struct compiler *c) {
    const struct bind_texts *list = &c->row->allowed_columns;
    c->entry->only_named = list->is_set;
    for (size_t i = 0; i < list->n; i++) {
        struct str column = list->items[i];
        if (str_eq(column, STR("*"))) {
            c->entry->only_named = false;
            continue;
        }
        if (!is_column(column) || str_find_byte(column, '.') < column.len) {
            problem_add(c->binder->problems, SEVERITY_ERROR, c->binder->file,
                        item_of(c, "allowed_columns", i),
                        "'" STR_FMT "' is no column that can be allowed", STR_ARG(column));
            problem_hint(c->binder->problems, "only denied_columns names fields of a column");
            continue;
        }
        struct column_rule *rule = rule_of(c, column);
        if (rule == NULL) return fail_memory(NULL);
        rule->is_allowed = true;
    }
    return OK;
}

static bool is_path(struct str path) {
    struct str rest = path;
    do {
        if (!is_column(str_cut(&rest, '.'))) return false;
    } while (rest.ptr != NULL);
    return true;
}

static result deny_field(const struct compiler *c, struct column_rule *rule, struct str path) {
    struct str *fields = arena_new_array(c->binder->arena, rule->n_denied_fields + 1, struct str);
    struct str lower = str_lower(c->binder->arena, path);
    if (fields == NULL || lower.ptr == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < rule->n_denied_fields; i++) fields[i] = rule->denied_fields[i];
    fields[rule->n_denied_fields++] = lower;
    rule->denied_fields = fields;
    return OK;
}

static result deny_columns(const struct compiler *c) {
    const struct bind_texts *list = &c->row->denied_columns;
    for (size_t i = 0; i < list->n; i++) {
        struct str path = list->items[i];
        if (!is_path(path)) {
            problem_add(c->binder->problems, SEVERITY_ERROR, c->binder->file,
                        item_of(c, "denied_columns", i),
                        "'" STR_FMT "' is neither a column nor COLUMN.FIELD", STR_ARG(path));
            continue;
        }
        struct column_rule *rule = rule_of(c, str_cut(&path, '.'));
        if (rule == NULL) return fail_memory(NULL);
        if (path.ptr == NULL)
            rule->is_denied = true;
        else
            TRY(deny_field(c, rule, path));
    }
    return OK;
}

/* YAML's own null is the mask of that name, and never no mask at all. */
static result read_mask(const struct compiler *c, const struct mask_row *row, struct mask *mask) {
    struct problems *problems = c->binder->problems;
    struct report report = {0};
    struct str text = row->expr.ptr != NULL ? row->expr : STR("null");
    result r = mask_read(text, c->binder->arena, mask, &report);
    if (r.why == FAIL_MEMORY) return r;
    if (r.why != FAIL_NONE) {
        problem_add(problems, SEVERITY_ERROR, c->binder->file, row->head.node,
                    "the mask of '" STR_FMT "' is no expression: %s", STR_ARG(row->head.id),
                    report.sentence);
    } else if (mask->needs_salt && !c->has_salt) {
        problem_add(problems, SEVERITY_ERROR, c->binder->file, row->head.node,
                    "the mask of '" STR_FMT "' needs a salt", STR_ARG(row->head.id));
        problem_hint(problems,
                     "set masks.salt in weir.yaml, or WEIR_MASK_SALT, to a secret of %d "
                     "bytes or more",
                     MASK_SALT_BYTES_MIN);
    }
    return OK;
}

static result mask_column(const struct compiler *c, const struct mask_row *row) {
    struct problems *problems = c->binder->problems;
    if (!is_column(row->head.id) || str_find_byte(row->head.id, '.') < row->head.id.len) {
        problem_add(problems, SEVERITY_ERROR, c->binder->file, row->head.key,
                    "'" STR_FMT "' is no column that can be masked", STR_ARG(row->head.id));
        return OK;
    }
    struct column_rule *rule = rule_of(c, row->head.id);
    if (rule == NULL) return fail_memory(NULL);
    if (rule->n_denied_fields > 0)
        problem_add(problems, SEVERITY_ERROR, c->binder->file, row->head.key,
                    "'" STR_FMT "' has a mask and a denied field", STR_ARG(row->head.id));
    if (rule->mask.kind != MASK_NONE)
        problem_add(problems, SEVERITY_ERROR, c->binder->file, row->head.key,
                    "'" STR_FMT "' has two masks", STR_ARG(row->head.id));
    if (rule->is_denied || (c->entry->only_named && !rule->is_allowed))
        problem_add(problems, SEVERITY_WARNING, c->binder->file, row->head.key,
                    "the mask of '" STR_FMT "' is never used: the column is denied",
                    STR_ARG(row->head.id));
    return read_mask(c, row, &rule->mask);
}

static result mask_columns(const struct compiler *c) {
    const struct mask_row *row = c->row->masks.items;
    for (size_t i = 0; i < c->row->masks.n; i++, row++)
        if (row->expr.ptr != NULL || yaml_is_null(row->head.node)) TRY(mask_column(c, row));
    return OK;
}

/* -- rows ------------------------------------------------------------------------------------- */

static result filter_rows(const struct compiler *c) {
    const struct row_policy_row *row = c->row->row_policies.items;
    struct row_rule *rules =
        arena_new_array(c->binder->arena, c->row->row_policies.n, struct row_rule);
    if (rules == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < c->row->row_policies.n; i++, row++) {
        struct report report = {0};
        rules[i].role = row->role;
        if (row->predicate.len == 0 || row->role.len == 0) {
            if (yaml_get(row->head.node, STR("predicate")) != NULL && row->predicate.len == 0)
                problem_add(c->binder->problems, SEVERITY_ERROR, c->binder->file, row->head.node,
                            "the predicate of a row policy is empty");
            continue;
        }
        result r = predicate_read(row->predicate, c->binder->arena, &rules[i].predicate, &report);
        if (r.why == FAIL_MEMORY) return r;
        if (r.why == FAIL_NONE) continue;
        problem_add(c->binder->problems, SEVERITY_ERROR, c->binder->file,
                    yaml_get(row->head.node, STR("predicate")), "the predicate is no condition: %s",
                    report.sentence);
        if (report.hint[0] != '\0') problem_hint(c->binder->problems, "%s", report.hint);
    }
    c->entry->rows = rules;
    c->entry->n_rows = c->row->row_policies.n;
    return OK;
}

/* -- what is shown ---------------------------------------------------------------------------- */

static result default_partition(const struct compiler *c, struct policy_table *shown) {
    const struct default_partition_rows *rows = &c->row->default_partition;
    if (rows->strategy < 0) return OK;
    shown->default_partition_strategy =
        rows->strategy == STRATEGY_RANGE ? PARTITION_RANGE : PARTITION_MAX_PT;
    shown->default_partition_format = rows->format;
    shown->default_partition_field = str_lower(c->binder->arena, rows->field);
    shown->default_partition_time_column = str_lower(c->binder->arena, rows->time_column);
    if ((shown->default_partition_field.ptr == NULL && rows->field.len > 0) ||
        (shown->default_partition_time_column.ptr == NULL && rows->time_column.len > 0))
        return fail_memory(NULL);
    if (rows->strategy == STRATEGY_RANGE && (rows->format.len == 0 || rows->time_column.len == 0))
        problem_add(c->binder->problems, SEVERITY_ERROR, c->binder->file,
                    yaml_get(c->row->head.node, STR("default_partition")),
                    "the strategy range needs a 'format' and a 'time_column'");
    return OK;
}

static result show(const struct compiler *c) {
    struct policy_table *shown = &c->entry->shown;
    const struct table_row *row = c->row;
    *shown = (struct policy_table){.project = c->entry->name.project,
                                   .schema = c->entry->name.schema,
                                   .name = c->entry->name.name,
                                   .domain = row->domain,
                                   .owner = row->owner,
                                   .require_partition_filter = row->require_partition_filter,
                                   .max_limit = row->max_limit};
    if (row->sensitivity >= 0) shown->sensitivity = str_of(sensitivities[row->sensitivity]);
    return default_partition(c, shown);
}

result policy_entry_compile(const struct binder *binder, const struct table_row *row, bool has_salt,
                            struct policy_entry *entry) {
    struct compiler c = {binder, row, entry, has_salt};
    map_init(&entry->columns, binder->arena);
    entry->columns.fold_case = true;
    bool has_max_limit = yaml_get(row->head.node, STR("max_limit")) != NULL;
    entry->is_closed = (has_max_limit && row->max_limit == 0) ||
                       (row->allowed_columns.is_set && row->allowed_columns.n == 0);
    TRY(allow_columns(&c));
    TRY(deny_columns(&c));
    TRY(mask_columns(&c));
    TRY(filter_rows(&c));
    return show(&c);
}
