/*
 * policy/condition.h - what a rule asks of the arguments of a call
 *
 * A condition names an argument (policy/argument.h), an operator, and what it is held against.
 * Operators and their meaning are PolicyLayer's: numbers are compared as numbers, anything else
 * that is `eq` by its printed form, so that 5 equals "5" and true equals "true". Texts are compared
 * byte for byte.
 *
 * A value that is not there (null is not there), or of a type that the operator has no meaning for,
 * cannot be judged: the call is denied, by `neq` and `not_in` too. `exists` is the way to ask for
 * that, and `optional: true` lets an absent value through.
 *
 * Memory:  compiled into the arena of the load; reading needs none.
 * Errors:  FAIL_MEMORY; what is wrong in the file goes to the binder's problems.
 * Threads: immutable once read.
 */
#ifndef WEIR_POLICY_CONDITION_H
#define WEIR_POLICY_CONDITION_H

#include "policy/argument.h"
#include "policy/policy.h"
#include "text/regex.h"

/* As it stands in the file. `value` is in head.node. */
struct condition_row {
    struct bind_head head;
    struct str path, op, reason, otherwise;
    bool optional;
};
extern const struct bind_kind condition_kind;

enum condition_op {
    CONDITION_EQ = 0,
    CONDITION_NEQ,
    CONDITION_IN,
    CONDITION_NOT_IN,
    CONDITION_LT,
    CONDITION_LTE,
    CONDITION_GT,
    CONDITION_GTE,
    CONDITION_CONTAINS,
    CONDITION_STARTS_WITH,
    CONDITION_ENDS_WITH,
    CONDITION_REGEX,
    CONDITION_EXISTS,
};

/* What an argument is held against. */
struct operand {
    struct str text; /* as printed */
    bool is_number;  /* plain: a number of the file */
    bool is_numeric; /* a number, or a text that is how a number is printed */
    bool is_integer;
    int64_t integer;
    double real;
};

struct condition {
    struct policy_argument argument;
    enum condition_op op;
    const struct operand *operands;
    size_t n_operands;
    const struct regex *regex;
    bool must_exist; /* EXISTS */
    bool is_optional;
    enum effect otherwise; /* where it does not hold: DENY, CONFIRM or APPROVE */
    struct str reason;     /* may be empty */
};

/* `where` is what stands before each complaint: "tools.run_sql.conditions[0]". */
MUST_USE result condition_read(const struct binder *binder, const struct condition_row *row,
                               struct str where, struct condition *out);

enum condition_says { CONDITION_UNREADABLE = 0, CONDITION_FAILS, CONDITION_HOLDS };

/* `arguments` are NULL or an object. */
enum condition_says condition_look(const struct condition *condition, const struct json *arguments);

/* What the caller is told where the file gives no reason: what is wanted, but of what is excluded
 * only that it is. STR_NONE: no memory. */
struct str condition_sentence(const struct condition *condition, struct arena *arena);

#endif
