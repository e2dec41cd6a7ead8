/*
 * policy/cases.h - what a policy must say, as data: for our tests and for users' own
 *
 *     == NAME OF THE CASE
 *     -- judge        WHO | TOOL | ARGUMENTS | EFFECT RULE[: SENTENCE]
 *     -- looks        WHO | TOOL | ARGUMENTS | RULE outcome, RULE outcome
 *     -- decide       WHO | TOOL | allow RULE or deny RULE: could any call be made (tools/list)
 *     -- tables       WHO | the tables that are seen, in order
 *     -- charges      WHO | TOOL | RULE max/seconds KEY, ...
 *     -- budgets      WHO | TOOL | ARGUMENTS | RULE amount of max/seconds KEY, ...
 *     -- quotas       WHO | RULE max/seconds KEY, ...
 *
 * Beneath a title stands a question a line, and what has to be answered; a line that begins with #
 * is a comment. EFFECT is deny, allow,
 * confirm or approve; ARGUMENTS are a JSON object or empty. Before the first title of a case
 * everything is a comment. WHO is `nobody`, or words: `as=USER[@CLIENT]`, somebody of the
 * configuration, comes first; user=u roles=a,b tools=a,b projects=a,b client=x rate=n/seconds
 * session=s say the rest or somebody made up. A list that is not named is absent: it does not
 * restrict.
 *
 * A case of our own tests brings its files, too: `-- policy`, `allowlist`, `enterprise`, `rules`,
 * and what the loader must say of them, `problems`.
 *
 * Memory:  a case borrows from the text; asking works in the given arena.
 * Errors:  FAIL_INPUT for a text of another form; its sentence begins with "line N: ".
 * Threads: values.
 */
#ifndef WEIR_POLICY_CASES_H
#define WEIR_POLICY_CASES_H

#include "policy/policy.h"

enum case_title {
    CASE_POLICY = 0,
    CASE_ALLOWLIST,
    CASE_ENTERPRISE,
    CASE_RULES,
    CASE_PROBLEMS,
    CASE_DECIDE, /* from here on: questions */
    CASE_TABLES,
    CASE_JUDGE,
    CASE_LOOKS,
    CASE_CHARGES,
    CASE_BUDGETS,
    CASE_QUOTAS,
    CASE_TITLES
};

struct case_section {
    struct str body; /* ptr NULL: the case has no such section */
    uint32_t line;   /* of its first line */
};

struct policy_case {
    struct str name;
    struct case_section sections[CASE_TITLES];
};

/* What is left of a text of cases. */
struct case_text {
    struct str rest;
    uint32_t line; /* zeroed at the start */
};

/* The next case; *is_there is false when there is none. */
MUST_USE result policy_case_next(struct case_text *text, struct policy_case *out, bool *is_there,
                                 struct report *report);
/* Its first section of files; CASE_TITLES: it has none. */
enum case_title policy_case_files(const struct policy_case *c);
struct str policy_case_title(enum case_title title);

/* An answer that is not the one that is wanted. */
struct case_miss {
    uint32_t line;
    struct str name, asked, wanted, got;
};

struct case_asker {
    const struct policy *policy;
    const struct identity *identity; /* for `as=`; NULL: nobody is known */
    void (*missed)(void *with, const struct case_miss *miss);
    void *with;
    size_t n_asked, n_missed; /* are added to */
};

/* Asks all that the case asks. */
MUST_USE result policy_case_ask(const struct policy_case *c, struct case_asker *asker,
                                struct arena *arena, struct report *report);

#endif
