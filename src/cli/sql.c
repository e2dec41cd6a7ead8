/*
 * cli/sql.c - weir sql: what the guard says of SQL, without a client
 *
 *     parse     is it one read-only query of the grammar? needs no configuration
 *     check     the guard's decision, the text that would run, and all that it knows of it
 *     lineage   which columns it reads, without rewriting
 *     run       check, and the rows
 *
 * --jsonl reads one JSON object a line, {"id","sql"|"sql_b64","project"?,"as"?}, and answers each
 * with a line, in order, whatever the line is.
 */
#include "base/limits.h"
#include "cli/command.h"
#include "cli/open.h"
#include "cli/sql_answer.h"
#include "cli/walk.h"
#include "text/base64.h"
#include "tools/query.h"

extern const struct command command_sql;

enum verb { VERB_PARSE, VERB_CHECK, VERB_LINEAGE, VERB_RUN };

struct session {
    enum verb verb;
    struct house house; /* closed for VERB_PARSE */
    struct str as, dialect, project;
};

/* One question, from a line or from the command line. */
struct question {
    struct str id; /* JSON text; empty: none was given */
    struct str sql, as, project;
};

/* -- answering -------------------------------------------------------------------------------- */

static void answer_parse(const struct question *q, struct arena *arena, struct json_writer *w) {
    struct sql_query *query;
    struct report report = {0};
    result r = sql_parse(q->sql, NULL, arena, &query, &report);
    sql_answer_parse(q->id, q->sql, r.why == FAIL_NONE ? NULL : &report, w);
}

/* The tool's arguments as a tree, not as JSON text: the guard must see the very bytes that check
 * sees, also where they are no UTF-8. */
static const struct json *run_arguments(const struct question *q, struct arena *arena) {
    struct json *object = arena_new(arena, struct json);
    struct json_member *members = arena_new_array(arena, 2, struct json_member);
    if (object == NULL || members == NULL) return NULL;
    members[0] = (struct json_member){STR("sql"), {.type = JSON_STRING, .text = q->sql}};
    members[1] = (struct json_member){STR("project"), {.type = JSON_STRING, .text = q->project}};
    *object = (struct json){.type = JSON_OBJECT, .n = q->project.len > 0 ? 2 : 1};
    object->members = members;
    return object;
}

/* The tool answers by an envelope; its data stands behind what check would have said. */
static void answer_run(struct session *s, struct call *call, const struct question *q,
                       struct json_writer *w) {
    call->tool_name = STR("run_select_sql");
    call->origin.is_program = true;
    call->arguments = run_arguments(q, &call->arena);
    cli_walk(&s->house, call);
    sql_answer_run(q->id, call, buf_flat(&call->reply, &call->arena), w);
}

static void answer_with_call(struct session *s, const struct question *q, struct json_writer *w) {
    struct report report = {0};
    struct call *call = cli_call_new(&s->house, q->as, &report);
    if (call == NULL) {
        sql_answer_error(q->id, &report, w);
        return;
    }
    struct query query = {.text = q->sql, .project = q->project};
    if (s->verb == VERB_RUN)
        answer_run(s, call, q, w);
    else if (s->verb == VERB_LINEAGE)
        sql_answer_lineage(q->id, call, query_check(call, &query, true, s->dialect), w);
    else
        sql_answer_check(q->id, call, query_check(call, &query, false, s->dialect), w);
    call_free(call);
}

static void answer(struct session *s, const struct question *q, struct arena *arena) {
    struct buf out;
    struct json_writer w;
    buf_init(&out, 64 * MIB);
    json_writer_init(&w, &out);
    if (s->verb == VERB_PARSE)
        answer_parse(q, arena, &w);
    else
        answer_with_call(s, q, &w);
    if (buf_failed(&out, NULL).why != FAIL_NONE) {
        struct report report = {0};
        fail(&report, FAIL_LIMIT, "REPLY_TOO_LARGE", REPORT_NO_OFFSET, "the answer is too large");
        buf_clear(&out);
        json_writer_init(&w, &out);
        sql_answer_error(q->id, &report, &w);
    }
    cli_print(&out);
    buf_deinit(&out);
}

/* -- asking ----------------------------------------------------------------------------------- */

static result read_sql(const struct json *line, struct question *q, struct arena *arena,
                       struct report *report) {
    const struct json *sql = json_get(line, STR("sql"));
    const struct json *coded = json_get(line, STR("sql_b64"));
    if (sql != NULL && sql->type == JSON_STRING) {
        q->sql = sql->text;
        return OK;
    }
    if (coded != NULL && coded->type == JSON_STRING && base64_decode(coded->text, arena, &q->sql))
        return OK;
    return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                "a line must hold 'sql' as text or 'sql_b64' as base64");
}

/* JSON that we refuse for an escaped NUL or half a surrogate pair is JSON all the same, and its
 * answer must be found again: so its id is read out of a copy whose escapes are all harmless and as
 * long as they were. Empty: it is no JSON for another reason. */
static struct str id_of_refused(struct str text, struct arena *arena) {
    struct str copy = str_dup(arena, text);
    const struct json *line;
    if (copy.ptr == NULL) return STR_NONE;
    char *bytes = (char *)(uintptr_t)copy.ptr; /* ours: just made */
    for (size_t i = 0; i + 5 < copy.len; i++) {
        if (bytes[i] == '\\' && bytes[i + 1] == 'u') memcpy(bytes + i + 2, "0041", 4);
        if (bytes[i] == '\\') i++;
    }
    if (json_read(copy, NULL, arena, &line, NULL).why != FAIL_NONE) return STR_NONE;
    const struct json *id = json_get(line, STR("id"));
    if (id == NULL) return STR_NONE;
    struct str raw = json_raw(id);
    size_t at = (size_t)(raw.ptr - copy.ptr);
    return str_find(raw, STR("\\")) == raw.len ? str_slice(text, at, at + raw.len) : STR_NONE;
}

static result read_question(const struct session *s, struct str text, struct question *q,
                            struct arena *arena, struct report *report) {
    const struct json *line;
    *q = (struct question){.id = STR("null"), .as = s->as, .project = s->project};
    result r = json_read(text, NULL, arena, &line, report);
    if (r.why != FAIL_NONE) {
        struct str id = id_of_refused(text, arena);
        if (id.len > 0) q->id = id;
        return r;
    }
    if (line->type != JSON_OBJECT)
        return fail(report, FAIL_INPUT, "INVALID_ARGUMENT", REPORT_NO_OFFSET,
                    "a line must be a JSON object");
    const struct json *id = json_get(line, STR("id"));
    if (id != NULL) q->id = json_raw(id);
    if (json_get_text(line, STR("as")).len > 0) q->as = json_get_text(line, STR("as"));
    if (json_get_text(line, STR("project")).len > 0)
        q->project = json_get_text(line, STR("project"));
    return read_sql(line, q, arena, report);
}

static void answer_line(struct session *s, struct str text) {
    struct arena arena;
    struct question q;
    struct report report = {0};
    arena_init(&arena, CALL_ARENA_BYTES);
    if (read_question(s, text, &q, &arena, &report).why == FAIL_NONE) {
        answer(s, &q, &arena);
    } else {
        struct buf out;
        struct json_writer w;
        buf_init(&out, MIB);
        json_writer_init(&w, &out);
        sql_answer_error(q.id, &report, &w);
        cli_print(&out);
        buf_deinit(&out);
    }
    arena_deinit(&arena);
}

static void answer_lines(struct session *s) {
    struct cli_lines lines = {0};
    struct str line;
    while (cli_next_line(&lines, &line))
        if (line.len > 0) answer_line(s, line);
    cli_lines_end(&lines);
}

static void answer_one(struct session *s, struct str sql) {
    struct arena arena;
    struct question q = {.sql = sql, .as = s->as, .project = s->project};
    arena_init(&arena, CALL_ARENA_BYTES);
    answer(s, &q, &arena);
    arena_deinit(&arena);
}

/* -- the command ------------------------------------------------------------------------------ */

static bool read_verb(struct str word, enum verb *out) {
    static const struct str verbs[] = {STR_INIT("parse"), STR_INIT("check"), STR_INIT("lineage"),
                                       STR_INIT("run")};
    for (size_t i = 0; i < COUNT(verbs); i++) {
        if (!str_eq(verbs[i], word)) continue;
        *out = (enum verb)i;
        return true;
    }
    return false;
}

static int run(int argc, char **argv) {
    struct session s = {.verb = VERB_PARSE};
    struct config_setup setup = {.dir = STR("./config")};
    struct str rest[64];
    bool is_jsonl = false;
    size_t n;
    enum guard_dialect known;
    struct flag flags[] = {
        {"config", "DIR", &setup.dir, NULL, NULL, "the configuration directory"},
        {"as", "USER[@CLIENT]", &s.as, NULL, NULL, "who asks"},
        {"dialect", "maxcompute|duckdb|postgres", &s.dialect, NULL, NULL, "what to print"},
        {"project", "PROJECT", &s.project, NULL, NULL, "for names without a project"},
        {"jsonl", NULL, NULL, &is_jsonl, NULL, "one JSON object a line, in and out"},
        {0},
    };
    if (!flags_read(flags, argc, argv, rest, COUNT(rest), &n)) return EXIT_USAGE;
    if (n == 0 || !read_verb(rest[0], &s.verb))
        return tell_usage(&command_sql, "'parse', 'check', 'lineage' or 'run' is expected");
    if (n != (is_jsonl ? 1 : 2))
        return tell_usage(&command_sql, "one SQL text is expected, or --jsonl");
    if (s.dialect.len > 0 && !query_dialect(s.dialect, &known))
        return tell_usage(&command_sql, "there is no dialect '" STR_FMT "'", STR_ARG(s.dialect));
    setup.project = s.project;
    setup.use = s.verb == VERB_RUN ? CONFIG_SERVE : CONFIG_SCHEMA_ONLY;
    if (s.verb != VERB_PARSE && !cli_open(&s.house, &setup)) return EXIT_WRONG;
    if (is_jsonl)
        answer_lines(&s);
    else
        answer_one(&s, rest[1]);
    if (s.verb != VERB_PARSE) house_close(&s.house);
    return EXIT_DONE;
}

const struct command command_sql = {
    "sql", "what the guard says of SQL: parse, check, lineage, run",
    "parse|check|lineage|run [--config DIR] [--as USER[@CLIENT]]\n"
    "         [--dialect maxcompute|duckdb|postgres] [--project P] [--jsonl] [SQL]",
    run};
