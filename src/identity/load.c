/* auth.yaml, auth.local.yaml and enterprise.yaml become an identity. */
#include "base/limits.h"
#include "base/rand.h"
#include "identity/header_user.h"
#include "text/bind.h"

/* -- the files as tables ---------------------------------------------------------------------- */

struct attribute_row {
    struct bind_head head;
    struct bind_texts values;
};
static const struct bind_key attribute_value = {.name = "attributes",
                                                .type = BIND_TEXTS,
                                                .offset = offsetof(struct attribute_row, values),
                                                .one_is_list = true};
static const struct bind_kind attribute_kind = {
    .what = "an attribute", .value = &attribute_value, .size = sizeof(struct attribute_row)};

struct token_row {
    struct bind_head head;
    struct str user_id, client_id, name;
    struct bind_texts toolsets, tools, projects, roles, scopes;
    struct bind_rate rate;
    struct bind_array attributes;
};
#define AT(member) .offset = offsetof(struct token_row, member)
static const struct bind_key token_keys[] = {
    {.name = "user_id", .type = BIND_NAME, AT(user_id), .is_required = true},
    {.name = "client_id", .type = BIND_NAME, AT(client_id)},
    {.name = "name", .type = BIND_TEXT, AT(name)},
    {.name = "allowed_toolsets", .type = BIND_TEXTS, AT(toolsets)},
    {.name = "allowed_tools", .type = BIND_TEXTS, AT(tools)},
    {.name = "allowed_projects", .type = BIND_TEXTS, AT(projects)},
    {.name = "roles", .type = BIND_TEXTS, AT(roles)},
    {.name = "scopes", .type = BIND_TEXTS, AT(scopes)},
    {.name = "rate_limit", .type = BIND_RATE, AT(rate), .max = RATE_CALLS_MAX},
    {.name = "attributes", .type = BIND_EACH, AT(attributes), .of = &attribute_kind},
    {.name = NULL}};
#undef AT
static const struct bind_kind token_kind = {
    .what = "a token", .keys = token_keys, .size = sizeof(struct token_row)};

struct auth_file {
    struct bind_array tokens;
};
static const struct bind_key auth_keys[] = {{.name = "tokens",
                                             .type = BIND_EACH,
                                             .offset = offsetof(struct auth_file, tokens),
                                             .of = &token_kind},
                                            {.name = NULL}};
static const struct bind_kind auth_kind = {.what = "the file of tokens", .keys = auth_keys};

struct user_row {
    struct bind_head head;
    struct str name, feishu_open_id, wecom_id, dingtalk_id;
    struct bind_texts roles;
    struct bind_array attributes;
};
#define AT(member) .offset = offsetof(struct user_row, member)
static const struct bind_key user_keys[] = {
    {.name = "name", .type = BIND_TEXT, AT(name)},
    {.name = "roles", .type = BIND_TEXTS, AT(roles)},
    {.name = "attributes", .type = BIND_EACH, AT(attributes), .of = &attribute_kind},
    {.name = "feishu_open_id", .type = BIND_TEXT, AT(feishu_open_id)},
    {.name = "wecom_id", .type = BIND_TEXT, AT(wecom_id)},
    {.name = "dingtalk_id", .type = BIND_TEXT, AT(dingtalk_id)},
    {.name = NULL}};
#undef AT
static const struct bind_kind user_kind = {
    .what = "a user", .keys = user_keys, .size = sizeof(struct user_row)};

struct provider_row {
    struct bind_head head;
    int type;
    bool is_enabled;
    struct str name, corp_id, app_key, user_id_field;
};
#define AT(member) .offset = offsetof(struct provider_row, member)
static const char *const provider_types[] = {"wecom", "dingtalk", NULL};
static const enum user_id_kind provider_kinds[] = {USER_ID_WECOM, USER_ID_DINGTALK};
static const struct bind_key provider_keys[] = {
    {.name = "name", .type = BIND_TEXT, AT(name)},
    {.name = "type", .type = BIND_CHOICE, AT(type), .choices = provider_types, .is_required = true},
    {.name = "enabled", .type = BIND_BOOL, AT(is_enabled)},
    {.name = "corp_id", .type = BIND_TEXT, AT(corp_id)},
    {.name = "app_key", .type = BIND_TEXT, AT(app_key)},
    {.name = "user_id_field", .type = BIND_NAME, AT(user_id_field)},
    {.name = NULL}};
#undef AT
static const struct bind_kind provider_kind = {
    .what = "an identity provider", .keys = provider_keys, .size = sizeof(struct provider_row)};

struct enterprise_file {
    struct bind_array users, providers;
};
static const struct bind_key enterprise_keys[] = {
    {.name = "users",
     .type = BIND_EACH,
     .offset = offsetof(struct enterprise_file, users),
     .of = &user_kind},
    {.name = "identity_providers",
     .type = BIND_EACH,
     .offset = offsetof(struct enterprise_file, providers),
     .of = &provider_kind},
    {.name = "roles", .type = BIND_SKIP}, /* policy reads them */
    {.name = "clients", .type = BIND_SKIP},
    {.name = NULL}};
static const struct bind_kind enterprise_kind = {.what = "enterprise.yaml",
                                                 .keys = enterprise_keys};

/* -- what several rows need ------------------------------------------------------------------- */

struct loader {
    struct binder binder; /* of the file being read */
    struct arena *arena;
    struct problems *problems;
    const struct identity_sources *sources;
    struct identity *identity;
    struct map known_roles; /* of enterprise.yaml; the values mean nothing */
};

static struct name_set name_set_of(const struct bind_texts *texts) {
    return (struct name_set){texts->items, texts->n, texts->is_set};
}

static void warn_role(struct loader *l, const struct bind_head *head, size_t i, struct str role) {
    const struct yaml *list = yaml_get(head->node, STR("roles"));
    problem_add(l->problems, SEVERITY_WARNING, l->binder.file,
                list != NULL && i < list->n ? &list->items[i] : head->node,
                "the role '" STR_FMT "' is defined nowhere", STR_ARG(role));
    struct str known;
    for (size_t k = 0; map_each(&l->known_roles, &k, &known, NULL);)
        if (str_distance(role, known, 3) < 3) {
            problem_hint(l->problems, "did you mean '" STR_FMT "'?", STR_ARG(known));
            return;
        }
    problem_hint(l->problems, "roles stand in enterprise.yaml; until then it restricts nothing");
}

static void check_roles(struct loader *l, const struct bind_head *head,
                        const struct bind_texts *roles) {
    for (size_t i = 0; i < roles->n; i++)
        if (!str_eq(roles->items[i], ROLE_ADMIN) &&
            map_get(&l->known_roles, roles->items[i]) == NULL)
            warn_role(l, head, i, roles->items[i]);
}

static result read_attributes(struct loader *l, const struct bind_array *rows,
                              const struct attribute **out, size_t *n) {
    const struct attribute_row *row = rows->items;
    struct attribute *made = arena_new_array(l->arena, rows->n, struct attribute);
    if (made == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < rows->n; i++, row++) {
        made[i] = (struct attribute){row->head.id, row->values.items, row->values.n};
        for (size_t v = 0; v < row->values.n; v++)
            if (!bind_is_name(row->values.items[v]) && row->values.items[v].len > 0)
                problem_add(l->problems, SEVERITY_ERROR, l->binder.file, row->head.node,
                            "a value of the attribute '" STR_FMT
                            "' must be of printable characters, not too long",
                            STR_ARG(row->head.id));
    }
    *out = made;
    *n = rows->n;
    return OK;
}

/* -- users ------------------------------------------------------------------------------------ */

/* Two users with one identity elsewhere: whoever logged in there would be either. */
static result claim(struct loader *l, const struct user_row *row, struct identity_user *user,
                    enum user_id_kind kind) {
    static const char *const keys[] = {"feishu_open_id", "wecom_id", "dingtalk_id"};
    const struct str ids[] = {row->feishu_open_id, row->wecom_id, row->dingtalk_id};
    const struct identity_user *owner = identity_user_by(l->identity, kind, ids[kind]);
    if (ids[kind].len == 0) return OK;
    if (owner == NULL)
        return map_put(&l->identity->users_by[kind], ids[kind], user) ? OK : fail_memory(NULL);
    problem_add(l->problems, SEVERITY_ERROR, l->binder.file,
                yaml_get(row->head.node, str_of(keys[kind])),
                "the %s of '" STR_FMT "' is also that of '" STR_FMT "'", keys[kind],
                STR_ARG(row->head.id), STR_ARG(owner->user_id));
    return OK;
}

static result add_user(struct loader *l, const struct user_row *row) {
    struct identity_user *user = arena_new(l->arena, struct identity_user);
    if (user == NULL) return fail_memory(NULL);
    *user = (struct identity_user){.user_id = row->head.id,
                                   .name = row->name,
                                   .roles = row->roles.items,
                                   .n_roles = row->roles.n};
    TRY(read_attributes(l, &row->attributes, &user->attributes, &user->n_attributes));
    check_roles(l, &row->head, &row->roles);
    for (int kind = 0; kind < USER_ID_KINDS; kind++)
        TRY(claim(l, row, user, (enum user_id_kind)kind));
    return map_put(&l->identity->users, user->user_id, user) ? OK : fail_memory(NULL);
}

static result read_users(struct loader *l, const struct bind_array *rows) {
    const struct user_row *row = rows->items;
    for (size_t i = 0; i < rows->n; i++, row++) TRY(add_user(l, row));
    return OK;
}

static void check_provider(struct loader *l, const struct provider_row *row,
                           const struct header_user *made) {
    if (!header_user_is_fit(made->header)) {
        problem_add(l->problems, SEVERITY_ERROR, l->binder.file, row->head.key,
                    "the user_id_field of '" STR_FMT "' is no header that may name a user",
                    STR_ARG(row->head.id));
        problem_hint(l->problems, "X-Wecom-User-Id and X-Dingtalk-User-Id are usual");
    } else if (!l->sources->settings->gateway_enabled) {
        problem_add(l->problems, SEVERITY_WARNING, l->binder.file, row->head.key,
                    "the header of '" STR_FMT "' is passed over: no gateway is trusted",
                    STR_ARG(row->head.id));
        problem_hint(l->problems, "GATEWAY_HEADER_ENABLED switches it on");
    }
}

static result read_providers(struct loader *l, const struct bind_array *rows) {
    const struct provider_row *row = rows->items;
    struct header_user *made = arena_new_array(l->arena, rows->n, struct header_user);
    if (made == NULL) return fail_memory(NULL);
    l->identity->header_users = made;
    for (size_t i = 0; i < rows->n; i++, row++) {
        if (!row->is_enabled) continue;
        made->kind = provider_kinds[row->type];
        made->header =
            row->user_id_field.len > 0 ? row->user_id_field : header_user_default(made->kind);
        check_provider(l, row, made++);
        l->identity->n_header_users++;
    }
    return OK;
}

static result read_enterprise(struct loader *l) {
    const struct yaml *tree = l->sources->enterprise;
    const struct yaml *roles = yaml_get(tree, STR("roles"));
    l->binder.file = l->sources->enterprise_name;
    for (size_t i = 0; roles != NULL && roles->type == YAML_MAP && i < roles->n; i++)
        if (!map_put(&l->known_roles, roles->pairs[i].key.text, l)) return fail_memory(NULL);
    struct enterprise_file file = {0};
    TRY(bind_map(&l->binder, &enterprise_kind, tree, &file));
    TRY(read_providers(l, &file.providers));
    return read_users(l, &file.users);
}

/* -- tokens ----------------------------------------------------------------------------------- */

/* Never says what stands in the key: it may be a secret. */
static result read_key(struct loader *l, const struct token_row *row, uint8_t hash[DIGEST_SIZE]) {
    struct str key = row->head.id;
    if (str_starts(key, STR("sha256:"))) {
        if (!hex_decode(str_slice(key, 7, key.len), hash, DIGEST_SIZE))
            problem_add(l->problems, SEVERITY_ERROR, l->binder.file, row->head.key,
                        "a hashed token is 'sha256:' and 64 hexadecimal digits");
        return OK;
    }
    if (str_find(key, STR("${")) < key.len) {
        problem_add(l->problems, SEVERITY_ERROR, l->binder.file, row->head.key,
                    "a token cannot be taken from the environment");
        problem_hint(l->problems, "write its hash, as `weir token hash` prints it");
        return OK;
    }
    if (str_find_byte(key, ' ') < key.len) {
        problem_add(l->problems, SEVERITY_ERROR, l->binder.file, row->head.key,
                    "a token holds no blanks");
        return OK;
    }
    problem_add(l->problems, SEVERITY_WARNING, l->binder.file, row->head.key,
                "the token of '" STR_FMT "' stands here as plain text", STR_ARG(row->user_id));
    problem_hint(l->problems, "write its hash instead, as `weir token hash` prints it");
    return digest_sha256(key, hash) ? OK : fail_memory(NULL);
}

static result lower_all(struct loader *l, struct name_set *set) {
    struct str *items = arena_new_array(l->arena, set->n, struct str);
    if (items == NULL) return fail_memory(NULL);
    for (size_t i = 0; i < set->n; i++) {
        items[i] = str_lower(l->arena, set->items[i]);
        if (items[i].ptr == NULL) return fail_memory(NULL);
    }
    set->items = items;
    return OK;
}

static result fill_token(struct loader *l, const struct token_row *row,
                         struct identity_token *token) {
    const struct identity_user *user = identity_user_find(l->identity, row->user_id);
    struct principal *p = &token->principal;
    *p = (struct principal){.user_id = row->user_id,
                            .client_id = row->client_id,
                            .name = row->name,
                            .auth_method = STR("bearer_token"),
                            .roles = row->roles.items,
                            .n_roles = row->roles.n,
                            .allowed_toolsets = name_set_of(&row->toolsets),
                            .allowed_tools = name_set_of(&row->tools),
                            .allowed_projects = name_set_of(&row->projects),
                            .scopes = name_set_of(&row->scopes),
                            .rate_n = row->rate.n,
                            .rate_window_s = row->rate.window_s};
    p->token_id = token_shown_hash(token->hash, l->arena);
    if (p->token_id.ptr == NULL) return fail_memory(NULL);
    TRY(lower_all(l, &p->allowed_projects));
    TRY(read_attributes(l, &row->attributes, &p->attributes, &p->n_attributes));
    return principal_join(p, user, l->arena); /* roles = token ∪ user */
}

static result add_token(struct loader *l, struct token_row *row, struct map *in_this_file) {
    struct identity_token *token = arena_new(l->arena, struct identity_token);
    if (token == NULL) return fail_memory(NULL);
    size_t n_errors = l->problems->n_errors;
    TRY(read_key(l, row, token->hash));
    if (l->problems->n_errors > n_errors) return OK;
    struct str index = {(const char *)token->hash, TOKEN_INDEX_SIZE};
    const struct token_row *other = map_get(in_this_file, index);
    if (other != NULL) {
        problem_add(l->problems, SEVERITY_ERROR, l->binder.file, row->head.key,
                    "this token stands already in line %u", other->head.key->line);
        return OK;
    }
    check_roles(l, &row->head, &row->roles);
    TRY(fill_token(l, row, token));
    bool is_put = map_put(in_this_file, index, row) && map_put(&l->identity->tokens, index, token);
    return is_put ? OK : fail_memory(NULL);
}

/* A later file adds to what stands, and overrides it token by token. */
static result read_tokens(struct loader *l, const struct yaml *tree, struct str file_name) {
    struct map in_this_file;
    map_init(&in_this_file, l->arena);
    l->binder.file = file_name;
    struct auth_file file = {0};
    TRY(bind_map(&l->binder, &auth_kind, tree, &file));
    struct token_row *row = file.tokens.items;
    for (size_t i = 0; i < file.tokens.n; i++, row++) TRY(add_token(l, row, &in_this_file));
    return OK;
}

/* -- callers without a credential ------------------------------------------------------------- */

static result let_anyone_in(struct loader *l) {
    const struct identity_settings *settings = l->sources->settings;
    struct str name = settings->dev_username;
    bool is_off = !settings->auth_enabled;
    l->identity->is_bearer_on = settings->auth_enabled;
    if (is_off && settings->require_auth && name.len == 0)
        problem_add(l->problems, SEVERITY_ERROR, STR("auth"), NULL,
                    "auth_enabled is false, but dev_username does not say who callers are");
    if (settings->require_auth && !is_off) return OK;
    if (!l->sources->all_listeners_loopback) {
        problem_add(l->problems, SEVERITY_ERROR, STR("auth"), NULL,
                    "callers without a credential are let in only when every listener is on "
                    "loopback");
        problem_hint(l->problems, "listen on 127.0.0.1, or set require_auth (MCP_REQUIRE_AUTH) and "
                                  "auth_enabled (MCP_AUTH_ENABLED) to true");
        return OK;
    }
    struct principal *anyone = arena_new(l->arena, struct principal);
    if (anyone == NULL) return fail_memory(NULL);
    if (!identity_resolve(l->identity, name, STR_NONE, anyone))
        anyone->user_id = name.len > 0 ? name : STR("anonymous");
    anyone->auth_method = STR("development");
    l->identity->anyone = anyone;
    return OK;
}

/* -- the whole -------------------------------------------------------------------------------- */

static result load(struct loader *l) {
    if (l->sources->enterprise != NULL) TRY(read_enterprise(l));
    if (l->sources->auth != NULL) TRY(read_tokens(l, l->sources->auth, l->sources->auth_name));
    if (l->sources->auth_local != NULL)
        TRY(read_tokens(l, l->sources->auth_local, l->sources->auth_local_name));
    if (l->sources->fetch != NULL) l->identity->fetch = *l->sources->fetch;
    TRY(protected_load(l->sources, l->arena, l->problems, &l->identity->resource));
    TRY(gateway_load(l->sources, l->arena, l->problems, &l->identity->gateway));
    TRY(jwt_trusts_load(l->sources, l->identity, l->arena, l->problems, &l->identity->jwt));
    TRY(introspection_load(l->sources, l->identity, l->arena, l->problems,
                           &l->identity->introspection));
    l->identity->callout = callout_load(l->sources, l->problems);
    l->identity->feishu = feishu_load(l->sources, l->identity, l->problems);
    return let_anyone_in(l);
}

result identity_load(const struct identity_sources *sources, struct arena *arena,
                     struct problems *problems, const struct identity **out) {
    *out = NULL;
    size_t n_errors = problems->n_errors;
    struct identity *identity = arena_new(arena, struct identity);
    if (identity == NULL) return fail_memory(NULL);
    map_init(&identity->tokens, arena);
    map_init(&identity->users, arena);
    for (size_t i = 0; i < USER_ID_KINDS; i++) map_init(&identity->users_by[i], arena);
    struct loader l = {.binder = {arena, problems, STR_NONE},
                       .arena = arena,
                       .problems = problems,
                       .sources = sources,
                       .identity = identity};
    map_init(&l.known_roles, arena);
    TRY(load(&l));
    if (problems->is_full) return fail_memory(NULL);
    if (problems->n_errors > n_errors) return (result){FAIL_CONFIG};
    *out = identity;
    return OK;
}
