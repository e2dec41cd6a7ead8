#include "admin/token_file.h"

#include "base/file.h"
#include "base/limits.h"
#include "text/json.h"
#include "text/yaml.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- the text --------------------------------------------------------------------------------- */

static result refuse(struct str name, struct report *report, const char *why) {
    return fail(report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET, STR_FMT ": %s",
                STR_ARG(name), why);
}

/* `"sha256:…": {user_id: "…", roles: [mcp_admin]}`; JSON's quotes are YAML's, too. */
static struct str line_of(const struct token_row *row, struct str indent, struct arena *arena) {
    struct buf buf;
    buf_init(&buf, 4 * KIB);
    buf_addf(&buf, STR_FMT "\"" STR_FMT "\": {user_id: \"", STR_ARG(indent), STR_ARG(row->hash));
    json_escape(&buf, row->user_id);
    buf_addf(&buf, "\", roles: [" STR_FMT "]}", STR_ARG(row->role));
    return buf_take(&buf, arena);
}

static struct str insert(struct str text, size_t from, size_t to, struct str piece,
                         struct arena *arena) {
    struct str head = str_slice(text, 0, from), tail = str_slice(text, to, text.len);
    return str_printf(arena, STR_FMT STR_FMT STR_FMT, STR_ARG(head), STR_ARG(piece), STR_ARG(tail));
}

static bool is_flow(struct str text, const struct yaml *node) {
    return node->begin < text.len && text.ptr[node->begin] == '{';
}

static struct str spliced(struct str text, const struct yaml *tokens, const struct token_row *row,
                          struct arena *arena) {
    if (tokens == NULL) { /* a new key at the end */
        bool is_open = text.len > 0 && text.ptr[text.len - 1] != '\n';
        struct str piece = str_printf(arena, "%stokens:\n" STR_FMT "\n", is_open ? "\n" : "",
                                      STR_ARG(line_of(row, STR("  "), arena)));
        return insert(text, text.len, text.len, piece, arena);
    }
    if (tokens->n == 0) { /* {} or nothing */
        struct str piece = str_printf(arena, "\n" STR_FMT, STR_ARG(line_of(row, STR("  "), arena)));
        return insert(text, tokens->begin, tokens->end, piece, arena);
    }
    if (is_flow(text, tokens)) {
        struct str piece = str_printf(arena, STR_FMT ", ", STR_ARG(line_of(row, STR(""), arena)));
        return insert(text, tokens->begin + 1, tokens->begin + 1, piece, arena);
    }
    size_t at = tokens->pairs[0].key.begin, line = at; /* before the first, in its column */
    while (line > 0 && text.ptr[line - 1] != '\n') line--;
    struct str piece =
        str_printf(arena, STR_FMT "\n", STR_ARG(line_of(row, str_slice(text, line, at), arena)));
    return insert(text, line, line, piece, arena);
}

static bool is_token(const struct yaml *tokens, const struct token_row *row) {
    const struct yaml *value = yaml_get(tokens, row->hash);
    const struct yaml *user = yaml_get(value, STR("user_id"));
    const struct yaml *roles = yaml_get(value, STR("roles"));
    return user != NULL && str_eq(user->text, row->user_id) && roles != NULL && roles->n == 1 &&
           str_eq(roles->items[0].text, row->role);
}

/* What we print is read again before anybody relies on it. */
static bool is_right(struct str text, const struct yaml *before, const struct token_row *row,
                     struct arena *arena) {
    const struct yaml *tree;
    struct report unused = {0};
    if (yaml_read(text, STR("new"), NULL, arena, &tree, &unused).why != FAIL_NONE) return false;
    const struct yaml *was = yaml_get(before, STR("tokens")), *is = yaml_get(tree, STR("tokens"));
    size_t n = was == NULL ? 0 : was->n;
    if (is == NULL || is->type != YAML_MAP || is->n != n + 1 || !is_token(is, row)) return false;
    for (size_t i = 0; i < n; i++)
        if (yaml_get(is, was->pairs[i].key.text) == NULL) return false;
    return tree->n == before->n + (was == NULL ? 1 : 0);
}

result token_file_splice(struct str text, struct str name, const struct token_row *row,
                         struct arena *arena, struct str *out, struct report *report) {
    const struct yaml *tree;
    TRY(yaml_read(text, name, NULL, arena, &tree, report));
    const struct yaml *tokens = yaml_get(tree, STR("tokens"));
    bool is_fit = tree->type == YAML_MAP &&
                  (tokens == NULL || tokens->type == YAML_MAP || yaml_is_null(tokens));
    if (!is_fit) return refuse(name, report, "this is no file of tokens");
    *out = spliced(text, tokens, row, arena);
    if (arena->is_spent) return fail_memory(report);
    if (is_right(*out, tree, row, arena)) return OK;
    return refuse(name, report, "a token cannot be put in here; write `tokens:` as a block");
}

bool token_file_has_role(struct str text, struct str role, struct arena *arena) {
    const struct yaml *tree;
    struct report unused = {0};
    if (yaml_read(text, STR("tokens"), NULL, arena, &tree, &unused).why != FAIL_NONE) return false;
    const struct yaml *tokens = yaml_get(tree, STR("tokens"));
    for (size_t i = 0; tokens != NULL && tokens->type == YAML_MAP && i < tokens->n; i++) {
        const struct yaml *roles = yaml_get(&tokens->pairs[i].value, STR("roles"));
        for (size_t r = 0; roles != NULL && roles->type == YAML_LIST && r < roles->n; r++)
            if (str_eq(roles->items[r].text, role)) return true;
    }
    return false;
}

/* -- the file --------------------------------------------------------------------------------- */

static result cannot(const char *verb, const char *path, struct report *report) {
    return fail(report, FAIL_IO, "CONFIG_INVALID", REPORT_NO_OFFSET,
                "cannot %s the file of tokens '%s': %s", verb, path, strerrordesc_np(errno));
}

result token_file_read(const char *path, struct arena *arena, struct str *out,
                       struct report *report) {
    bool is_there;
    TRY(file_read_if_there(path, YAML_BYTES_MAX, arena, out, &is_there, report));
    if (!is_there) *out = STR("");
    return OK;
}

/* A link stays one: what it leads to is replaced. */
result token_file_write(const char *path, struct str text, struct report *report) {
    char real[PATH_MAX], beside[PATH_MAX];
    struct stat st;
    if (realpath(path, real) == NULL) snprintf(real, sizeof real, "%s", path);
    mode_t mode = stat(real, &st) == 0 ? st.st_mode & 0777 : 0600;
    if (!file_make_beside(real, mode, text, beside)) return cannot("write", path, report);
    if (rename(beside, real) == 0) return OK;
    result r = cannot("write", path, report);
    unlink(beside);
    return r;
}
