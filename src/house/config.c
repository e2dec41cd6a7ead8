#include "house/config.h"

#include "backend/backend.h"
#include "base/file.h"
#include "base/limits.h"
#include "house/toolsets.h"
#include "policy/shadow.h"

#include <stdlib.h>
#include <unistd.h>

/* -- the files -------------------------------------------------------------------------------- */

enum config_file {
    FILE_WEIR,
    FILE_POLICY,
    FILE_ALLOWLIST,
    FILE_AUTH,
    FILE_AUTH_LOCAL,
    FILE_ENTERPRISE,
    FILE_RULES,
    FILE_SECURITY,
    FILE_JOINS,
    FILE_COUNT
};

/* `env` names a variable that says where the file lies instead; there it must be, unless it is one
 * that somebody writes later. */
static const struct {
    const char *path, *env;
    bool is_written_later;
} files[FILE_COUNT] = {
    [FILE_WEIR] = {"weir.yaml", NULL, false},
    [FILE_POLICY] = {"policy.yaml", NULL, false},
    [FILE_ALLOWLIST] = {"allowlist.yaml", "ODPS_ALLOWLIST_PATH", false},
    [FILE_AUTH] = {"auth.yaml", NULL, false},
    [FILE_AUTH_LOCAL] = {"auth.local.yaml", "ODPS_AUTH_CONFIG_PATH", true},
    [FILE_ENTERPRISE] = {"enterprise.yaml", NULL, false},
    [FILE_RULES] = {"rules.yaml", NULL, false},
    [FILE_SECURITY] = {"security.yaml", NULL, false},
    [FILE_JOINS] = {"ai_catalog/joins.yaml", NULL, false},
};

struct loading {
    const struct config_setup *setup;
    struct problems *problems;
    struct arena *arena; /* the snapshot's */
    struct report *report;
    struct str names[FILE_COUNT];
    struct str texts[FILE_COUNT];
    const struct yaml *trees[FILE_COUNT]; /* NULL: absent */
};

static bool is_told(enum config_file f) {
    const char *told = files[f].env != NULL ? getenv(files[f].env) : NULL;
    return told != NULL && told[0] != '\0';
}

static struct str file_name(struct str dir, enum config_file f, struct arena *arena) {
    if (is_told(f)) return str_dup(arena, str_of(getenv(files[f].env)));
    return str_printf(arena, STR_FMT "/%s", STR_ARG(dir), files[f].path);
}

struct str config_auth_local(const struct config_setup *setup, struct arena *arena) {
    return file_name(setup->dir, FILE_AUTH_LOCAL, arena);
}

/* What is wrong with one file is a problem; the other files are read all the same. */
static result read_named(struct loading *l, enum config_file f) {
    struct report report = {0};
    bool is_there = false;
    const char *path = str_cstr(l->arena, l->names[f]);
    if (path == NULL) return fail_memory(l->report);
    result r = file_read_if_there(path, YAML_BYTES_MAX, l->arena, &l->texts[f], &is_there, &report);
    if (r.why == FAIL_NONE && is_there)
        r = yaml_read(l->texts[f], l->names[f], NULL, l->arena, &l->trees[f], &report);
    if (r.why == FAIL_MEMORY) return fail_memory(l->report);
    if (r.why != FAIL_NONE) {
        l->trees[f] = NULL;
        problem_add_unread(l->problems, l->names[f], str_of(report.sentence));
    } else if (!is_there && is_told(f) && !files[f].is_written_later) {
        problem_add(l->problems, SEVERITY_ERROR, l->names[f], NULL,
                    "%s names this file, and it is not there", files[f].env);
    }
    return OK;
}

static result read_file(struct loading *l, enum config_file f) {
    l->names[f] = file_name(l->setup->dir, f, l->arena);
    return read_named(l, f);
}

static result read_files(struct loading *l) {
    const char *dir = str_cstr(l->arena, l->setup->dir);
    if (dir == NULL) return fail_memory(l->report);
    if (access(dir, R_OK | X_OK) != 0) {
        problem_add(l->problems, SEVERITY_ERROR, l->setup->dir, NULL,
                    "the configuration directory cannot be read");
        return OK;
    }
    for (enum config_file f = 0; f < FILE_COUNT; f++) TRY(read_file(l, f));
    bool is_granting = l->texts[FILE_POLICY].ptr != NULL || l->texts[FILE_ALLOWLIST].ptr != NULL;
    if (!is_granting)
        problem_add(l->problems, SEVERITY_ERROR, l->setup->dir, NULL,
                    "neither policy.yaml nor allowlist.yaml is there, so nothing could be granted");
    return OK;
}

/* -- compiling -------------------------------------------------------------------------------- */

/* All that decides what is allowed: its hash is the policy's version. */
static struct str policy_text(struct loading *l) {
    static const enum config_file deciding[] = {FILE_POLICY, FILE_ALLOWLIST, FILE_ENTERPRISE,
                                                FILE_RULES, FILE_JOINS};
    struct str all = STR("");
    for (size_t i = 0; i < COUNT(deciding); i++)
        all = str_printf(l->arena, STR_FMT "%zu\n" STR_FMT, STR_ARG(all), l->texts[deciding[i]].len,
                         STR_ARG(l->texts[deciding[i]]));
    return all;
}

static result load_identity(struct loading *l, const struct settings *settings,
                            struct snapshot *s) {
    struct identity_sources sources = {.settings = &settings->auth,
                                       .fetch = &settings->fetch,
                                       .weir = l->trees[FILE_WEIR],
                                       .weir_name = l->names[FILE_WEIR],
                                       .auth = l->trees[FILE_AUTH],
                                       .auth_local = l->trees[FILE_AUTH_LOCAL],
                                       .enterprise = l->trees[FILE_ENTERPRISE],
                                       .auth_name = l->names[FILE_AUTH],
                                       .auth_local_name = l->names[FILE_AUTH_LOCAL],
                                       .enterprise_name = l->names[FILE_ENTERPRISE],
                                       .all_listeners_loopback = settings_all_loopback(settings)};
    return identity_load(&sources, l->arena, l->problems, &s->identity);
}

static result load_policy(struct loading *l, const struct settings *settings,
                          const struct policy **out) {
    struct policy_sources sources = {.policy = l->trees[FILE_POLICY],
                                     .allowlist = l->trees[FILE_ALLOWLIST],
                                     .enterprise = l->trees[FILE_ENTERPRISE],
                                     .rules = l->trees[FILE_RULES],
                                     .policy_name = l->names[FILE_POLICY],
                                     .allowlist_name = l->names[FILE_ALLOWLIST],
                                     .enterprise_name = l->names[FILE_ENTERPRISE],
                                     .rules_name = l->names[FILE_RULES],
                                     .mask_salt = settings->masks.salt,
                                     .policy_text = policy_text(l)};
    return policy_load(&sources, l->arena, l->problems, out);
}

/* -- a candidate ------------------------------------------------------------------------------ */

static const struct {
    enum config_file beside;
    const char *path;
} candidates[] = {{FILE_RULES, "rules.candidate.yaml"},
                  {FILE_ENTERPRISE, "enterprise.candidate.yaml"}};

/* Takes the place of the live file, where it is there. */
static result read_candidates(struct loading *c, bool *are_there) {
    *are_there = false;
    for (size_t i = 0; i < COUNT(candidates); i++) {
        enum config_file f = candidates[i].beside;
        const struct loading live = *c;
        c->texts[f] = STR_NONE;
        c->names[f] =
            str_printf(c->arena, STR_FMT "/%s", STR_ARG(c->setup->dir), candidates[i].path);
        size_t n_problems = c->problems->n;
        TRY(read_named(c, f));
        bool is_there = c->texts[f].ptr != NULL || c->problems->n > n_problems;
        *are_there = *are_there || is_there;
        if (is_there) continue;
        c->texts[f] = live.texts[f];
        c->names[f] = live.names[f];
        c->trees[f] = live.trees[f];
    }
    return OK;
}

/* Never obeyed, so that nothing of it stops a start or a reload: its errors are warnings. Warnings
 * of live files are told already. */
static void tell_candidate(struct loading *l, const struct problems *told) {
    for (size_t i = 0; i < told->n; i++) {
        const struct problem *p = &told->items[i];
        const struct yaml at = {.line = p->line, .column = p->column};
        bool is_error = p->severity == SEVERITY_ERROR;
        if (!is_error && !str_ends(p->file, STR(".candidate.yaml"))) continue;
        problem_add(l->problems, SEVERITY_WARNING, p->file, &at, "%s" STR_FMT,
                    is_error ? "no candidate is judged: " : "", STR_ARG(p->text));
        if (p->hint.len > 0) problem_hint(l->problems, STR_FMT, STR_ARG(p->hint));
    }
}

static result load_candidate(struct loading *l, const struct settings *settings,
                             struct snapshot *s) {
    struct problems told;
    struct loading c = *l;
    const struct policy *policy = NULL;
    bool are_there;
    problems_init(&told, l->arena);
    c.problems = &told;
    TRY(read_candidates(&c, &are_there));
    if (!are_there) return OK;
    if (told.n_errors == 0) {
        result r = load_policy(&c, settings, &policy);
        if (r.why != FAIL_NONE && r.why != FAIL_CONFIG) return r;
    }
    tell_candidate(l, &told);
    if (told.is_full) return fail_memory(l->report);
    if (told.n_errors > 0) return OK;
    s->shadow = shadow_new(policy, l->arena);
    return s->shadow != NULL ? OK : fail_memory(l->report);
}

/* -- all of them ------------------------------------------------------------------------------ */

static struct str default_project(const struct loading *l) {
    if (l->setup->project.len > 0) return l->setup->project;
    const struct yaml *node = yaml_get(l->trees[FILE_POLICY], STR("default_project"));
    return node != NULL && node->type == YAML_SCALAR ? node->text : STR_NONE;
}

static struct str own_executable(struct arena *arena) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path);
    return n > 0 ? str_dup(arena, (struct str){path, (size_t)n}) : STR_NONE;
}

static result open_backends(struct loading *l, const struct settings *settings,
                            struct snapshot *s) {
    struct backend_setup base = {.file = l->names[FILE_WEIR],
                                 .config_dir = l->setup->dir,
                                 .state_dir = settings->server.state_directory,
                                 .default_project = default_project(l),
                                 .executable = own_executable(l->arena),
                                 .schema_only = l->setup->use == CONFIG_SCHEMA_ONLY};
    return backend_set_open(yaml_get(l->trees[FILE_WEIR], STR("backends")), &base, l->problems,
                            &s->backends);
}

/* FAIL_CONFIG means: its problems are told, look at the next part too. */
#define TRY_ALL(call)                                                                              \
    do {                                                                                           \
        result try_ = (call);                                                                      \
        if (try_.why != FAIL_NONE && try_.why != FAIL_CONFIG) return try_;                         \
    } while (0)

/* Input paths of the directory's files are relative to it. */
static result beneath_dir(struct loading *l, struct str *path) {
    if (path->len == 0 || str_starts(*path, STR("/"))) return OK;
    *path = str_printf(l->arena, STR_FMT "/" STR_FMT, STR_ARG(l->setup->dir), STR_ARG(*path));
    return path->ptr == NULL ? fail_memory(l->report) : OK;
}

static result compile(struct loading *l, struct settings *settings, struct snapshot *s) {
    TRY_ALL(settings_read(l->trees[FILE_WEIR], l->names[FILE_WEIR], l->trees[FILE_SECURITY],
                          l->names[FILE_SECURITY], &l->setup->flags, l->arena, l->problems,
                          settings));
    TRY(beneath_dir(l, &settings->http.tls_cert));
    TRY(beneath_dir(l, &settings->http.tls_key));
    TRY_ALL(load_identity(l, settings, s));
    if (l->trees[FILE_POLICY] != NULL || l->trees[FILE_ALLOWLIST] != NULL)
        TRY_ALL(load_policy(l, settings, &s->policy));
    if (s->policy != NULL) TRY(load_candidate(l, settings, s));
    TRY_ALL(catalog_load(l->trees[FILE_JOINS], l->names[FILE_JOINS], default_project(l), l->arena,
                         l->problems, &s->catalog));
    s->settings = settings->limits;
    s->approvals = settings->approvals;
    /* Backends start processes: not for a configuration that is refused anyway. */
    if (l->problems->n_errors == 0) TRY_ALL(open_backends(l, settings, s));
    return OK;
}

/* -- warnings that need both sides ------------------------------------------------------------- */

struct table_check {
    struct loading *loading;
    const struct policy *policy;
    const struct policy_table *table; /* the one being looked at */
    struct schema_source source;
    struct arena arena;
};

static void warn_stray_column(struct str column, void *with) {
    struct table_check *check = with;
    problem_add(check->loading->problems, SEVERITY_WARNING, check->loading->names[FILE_POLICY],
                NULL, "the table '" STR_FMT "." STR_FMT "' has no column '" STR_FMT "'",
                STR_ARG(check->table->project), STR_ARG(check->table->name), STR_ARG(column));
}

static void warn_of_table(const struct policy_table *table, void *with) {
    struct table_check *check = with;
    const struct schema_relation *found = NULL;
    struct report unused = {0};
    check->table = table;
    result r = check->source.find(&check->source, table->project, table->schema, table->name,
                                  &check->arena, &found, &unused);
    if (r.why != FAIL_NONE) return; /* a backend that cannot say now will be asked by each call */
    if (found != NULL)
        policy_each_stray_column(check->policy, found, warn_stray_column, check);
    else
        problem_add(check->loading->problems, SEVERITY_WARNING, check->loading->names[FILE_POLICY],
                    NULL, "no backend has the table '" STR_FMT "." STR_FMT "'",
                    STR_ARG(table->project), STR_ARG(table->name));
}

static void check_rules(struct loading *l, const struct snapshot *s) {
    struct binder binder = {l->arena, l->problems, l->names[FILE_RULES]};
    toolsets_check_rules(&binder, s->policy, toolsets);
}

static void check_tables(struct loading *l, struct snapshot *s) {
    if (backend_set_count(s->backends) == 0) return;
    struct table_check check = {
        .loading = l, .policy = s->policy, .source = backend_set_source(s->backends)};
    arena_init(&check.arena, CALL_ARENA_BYTES);
    policy_each_table(s->policy, warn_of_table, &check);
    arena_deinit(&check.arena);
}

/* -- the whole -------------------------------------------------------------------------------- */

static void release(struct snapshot *s) {
    backend_set_unref(s->backends);
    arena_deinit(&s->arena);
    free(s);
}

static result load(struct loading *l, struct snapshot *s, const struct settings **out) {
    struct settings *settings = arena_new(l->arena, struct settings);
    if (settings == NULL) return fail_memory(l->report);
    TRY(read_files(l));
    TRY(compile(l, settings, s));
    if (l->problems->is_full) return fail_memory(l->report);
    if (l->problems->n_errors > 0)
        return fail(l->report, FAIL_CONFIG, "CONFIG_INVALID", REPORT_NO_OFFSET,
                    "the configuration in '" STR_FMT "' has %zu error%s", STR_ARG(l->setup->dir),
                    l->problems->n_errors, l->problems->n_errors == 1 ? "" : "s");
    check_rules(l, s);
    check_tables(l, s);
    *out = settings;
    return OK;
}

result config_load(const struct config_setup *setup, struct problems *problems,
                   struct snapshot **out, const struct settings **settings, struct report *report) {
    struct snapshot *s = calloc(1, sizeof *s);
    if (s == NULL) return fail_memory(report);
    s->refs = 1;
    s->release = release;
    arena_init(&s->arena, CONFIG_BYTES_MAX);
    struct loading l = {.setup = setup, .problems = problems, .arena = &s->arena, .report = report};
    result r = load(&l, s, settings);
    if (r.why != FAIL_NONE) {
        snapshot_unref(s);
        return r;
    }
    *out = s;
    return OK;
}

result config_settings(struct str dir, struct arena *arena, struct problems *problems,
                       struct settings *out, struct report *report) {
    struct config_setup setup = {.dir = dir};
    struct loading l = {.setup = &setup, .problems = problems, .arena = arena, .report = report};
    TRY(read_file(&l, FILE_WEIR));
    TRY(read_file(&l, FILE_SECURITY));
    return settings_read(l.trees[FILE_WEIR], l.names[FILE_WEIR], l.trees[FILE_SECURITY],
                         l.names[FILE_SECURITY], &setup.flags, arena, problems, out);
}
