/* The kind of a statement by its first words, for refusals that name what they refuse. */
#include "sql/lex.h"
#include "sql/parse.h"

struct kind_row {
    struct str word;
    const char *kind;
};

static const struct kind_row kinds[] = {
    {STR_INIT("SELECT"), "select"},
    {STR_INIT("INSERT"), "insert"},
    {STR_INIT("UPDATE"), "update"},
    {STR_INIT("DELETE"), "delete"},
    {STR_INIT("MERGE"), "merge"},
    {STR_INIT("TRUNCATE"), "truncate"},
    {STR_INIT("CREATE"), "create"},
    {STR_INIT("ALTER"), "alter"},
    {STR_INIT("DROP"), "drop"},
    {STR_INIT("CLONE"), "clone"},
    {STR_INIT("LOAD"), "load"},
    {STR_INIT("UNLOAD"), "unload"},
    {STR_INIT("EXPORT"), "export"},
    {STR_INIT("IMPORT"), "import"},
    {STR_INIT("SHOW"), "show"},
    {STR_INIT("DESC"), "desc"},
    {STR_INIT("DESCRIBE"), "desc"},
    {STR_INIT("LIST"), "list"},
    {STR_INIT("LS"), "list"},
    {STR_INIT("WHOAMI"), "whoami"},
    {STR_INIT("COUNT"), "count"},
    {STR_INIT("READ"), "read"},
    {STR_INIT("EXPLAIN"), "explain"},
    {STR_INIT("COST"), "cost"},
    {STR_INIT("SET"), "set"},
    {STR_INIT("SETPROJECT"), "setproject"},
    {STR_INIT("UNSET"), "unset"},
    {STR_INIT("USE"), "use"},
    {STR_INIT("GRANT"), "grant"},
    {STR_INIT("REVOKE"), "revoke"},
    {STR_INIT("ADD"), "add"},
    {STR_INIT("REMOVE"), "remove"},
    {STR_INIT("PUT"), "put"},
    {STR_INIT("GET"), "get"},
    {STR_INIT("CLEAR"), "clear"},
    {STR_INIT("INSTALL"), "install"},
    {STR_INIT("UNINSTALL"), "uninstall"},
    {STR_INIT("ALLOW"), "allow"},
    {STR_INIT("DISALLOW"), "disallow"},
    {STR_INIT("KILL"), "kill"},
    {STR_INIT("STATUS"), "status"},
    {STR_INIT("ANALYZE"), "analyze"},
    {STR_INIT("MSCK"), "msck"},
    {STR_INIT("PURGE"), "purge"},
    {STR_INIT("UNDO"), "undo"},
    {STR_INIT("REDO"), "redo"},
    {STR_INIT("RESTORE"), "restore"},
    {STR_INIT("EXSTORE"), "exstore"},
    {STR_INIT("TUNNEL"), "tunnel"},
    {STR_INIT("JAR"), "jar"},
    {STR_INIT("PAI"), "pai"},
    {STR_INIT("MAP"), "map"},
    {STR_INIT("REDUCE"), "reduce"},
    {STR_INIT("FUNCTION"), "script"},
    {STR_INIT("IF"), "script"},
    {STR_INIT("LOOP"), "script"},
    {STR_INIT("BEGIN"), "script"},
    {STR_INIT("DECLARE"), "script"},
    {STR_INIT("CALL"), "call"},
    {STR_INIT("EXECUTE"), "execute"},
    {STR_INIT("BACKUP"), "backup"},
    {STR_INIT("OPTIMIZE"), "optimize"},
    {STR_INIT("RENAME"), "rename"},
    {STR_INIT("REPLACE"), "replace"},
    {STR_INIT("COMMENT"), "comment"},
    {STR_INIT("CACHE"), "cache"},
    {STR_INIT("REFRESH"), "refresh"},
    {STR_INIT("REPAIR"), "repair"},
    {STR_INIT("LOCK"), "lock"},
    {STR_INIT("UNLOCK"), "unlock"},
    {STR_INIT("COMMIT"), "commit"},
    {STR_INIT("ROLLBACK"), "rollback"},
    {STR_INIT("COPY"), "copy"},
    {STR_INIT("ATTACH"), "attach"},
    {STR_INIT("DETACH"), "detach"},
    {STR_INIT("PRAGMA"), "pragma"},
    {STR_INIT("VALUES"), "values"},
};

static const char *kind_of_word(struct str word) {
    for (size_t i = 0; i < COUNT(kinds); i++) {
        if (str_ieq(kinds[i].word, word)) return kinds[i].kind;
    }
    return "unknown";
}

static bool is_word(struct str text, const struct token *token, const char *word) {
    return token->kind == TOKEN_WORD &&
           str_ieq(str_slice(text, token->from, token->to), str_of(word));
}

/* FROM t MAP a USING …: but MAP(…) is a function, and MAP before a keyword a name. */
static bool is_plain_operand(const struct token *token) {
    return token->kind == TOKEN_QUOTED || token->kind == TOKEN_STRING ||
           token->kind == TOKEN_NUMBER ||
           (token->kind == TOKEN_WORD && token->word == WORD_UNKNOWN);
}

/* FROM MAP m, JOIN MAP m, db.MAP m: a table of that name. */
static bool is_before_table(const struct token *last) {
    return last->kind == TOKEN_COMMA || last->kind == TOKEN_DOT ||
           (last->kind == TOKEN_WORD && (last->word == WORD_FROM || last->word == WORD_JOIN));
}

/* The verb that the token is, seen with what stands around it, or NULL: nearly all verbs are names,
 * too. */
static const char *verb_at(struct str text, const struct token *last, const struct token *token,
                           bool is_with) {
    struct token next = sql_lex(text, token->to);
    if (is_word(text, token, "SELECT")) return "select";
    if (is_word(text, token, "INSERT") &&
        (is_word(text, &next, "INTO") || is_word(text, &next, "OVERWRITE")))
        return "insert";
    if ((is_word(text, token, "MAP") || is_word(text, token, "REDUCE")) &&
        is_plain_operand(&next) && !is_before_table(last))
        return kind_of_word(str_slice(text, token->from, token->to));
    bool is_behind_cte = is_with && last->kind == TOKEN_CLOSE;
    if (!is_behind_cte) return NULL;
    static const char *const verbs[] = {"INSERT", "UPDATE", "DELETE", "MERGE"};
    for (size_t i = 0; i < COUNT(verbs); i++)
        if (is_word(text, token, verbs[i])) return kind_of_word(str_of(verbs[i]));
    return NULL;
}

/* WITH … and FROM … : the first verb outside parentheses says what is done with the rest. */
static const char *kind_behind(struct str text, const struct token *first) {
    bool is_with = first->word == WORD_WITH;
    size_t depth = 0;
    const char *inner = "unknown"; /* of WITH … (SELECT …) */
    struct token last = *first;
    for (;;) {
        struct token token = sql_lex(text, last.to);
        if (token.kind == TOKEN_END || token.kind == TOKEN_BAD || token.kind == TOKEN_SEMICOLON)
            return inner;
        if (is_word(text, &token, "SELECT")) inner = "select";
        if (token.kind == TOKEN_OPEN) depth++;
        if (token.kind == TOKEN_CLOSE && depth > 0) depth--;
        const char *verb = depth == 0 ? verb_at(text, &last, &token, is_with) : NULL;
        if (verb != NULL) return verb;
        last = token;
    }
}

const char *sql_classify(struct str text) {
    if (text.len >= SQL_NOWHERE) return "unknown";
    struct token token = sql_lex(text, 0);
    while (token.kind == TOKEN_OPEN || token.kind == TOKEN_SEMICOLON)
        token = sql_lex(text, token.to);
    if (token.kind == TOKEN_AT) return "script";
    if (token.kind != TOKEN_WORD) return "unknown";
    if (token.word == WORD_WITH || token.word == WORD_FROM) return kind_behind(text, &token);
    return kind_of_word(str_slice(text, token.from, token.to));
}
