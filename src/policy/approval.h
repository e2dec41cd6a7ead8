/*
 * policy/approval.h - somebody else says yes, to exactly one call
 *
 * A call that a rule or its risk holds back becomes a request, which lies in the store until a
 * person with an approver's role says yes or no, or its time is over. What was approved is bound to
 * the call it was asked for: tool, arguments, user, client, version of the policy, and what it may
 * cost at most. Whoever makes that call once more uses the approval up; any other call finds none.
 *
 *     pending -> approved -> used
 *             -> rejected
 *
 * The same call asked again while its request is open gets the same request, so that impatience
 * fills no list. A request that expired is absent.
 *
 * Memory:  requests are read into the caller's arena.
 * Errors:  FAIL_ABSENT with APPROVAL_NOT_FOUND; FAIL_DENIED with APPROVAL_NOT_ALLOWED (no approver,
 *          or the one who asked) and APPROVAL_DECIDED (somebody was first); FAIL_LIMIT with
 *          APPROVAL_TOO_LARGE: a person must see the whole of what is approved; those of the store.
 * Denial:  without a store there are no approvals, and what needs one is refused.
 * Threads: any; every function blocks. Each change is one step in the store, on all replicas.
 */
#ifndef WEIR_POLICY_APPROVAL_H
#define WEIR_POLICY_APPROVAL_H

#include "identity/digest.h"
#include "identity/identity.h"
#include "store/store.h"
#include "text/json.h"

/* `approvals:` of weir.yaml */
struct approval_settings {
    struct option_list roles; /* who may approve; not set: mcp_admin */
    int64_t ttl_ms;           /* of a request, and of the approval that it becomes */
};
extern const struct option approval_options[];

/* The one call. */
struct approval_terms {
    struct str tool;
    const struct json *arguments; /* NULL or an object */
    const struct principal *principal;
    struct str policy_version;
    int64_t cost_ceiling_bytes; /* that the call may scan; 0: not limited */
    struct str rule, reason;    /* why it is held back, for the approver; bind nothing */
};

enum approval_state {
    APPROVAL_NONE = 0, /* means no */
    APPROVAL_PENDING,
    APPROVAL_APPROVED,
    APPROVAL_REJECTED,
    APPROVAL_USED,
    APPROVAL_STATES
};
extern const char *const approval_state_name[APPROVAL_STATES];

enum { APPROVAL_ID_SIZE = 32 }; /* hex digits */

struct approval {
    struct str id;
    enum approval_state state;
    uint8_t digest[DIGEST_SIZE]; /* of what binds */
    struct str tool;
    struct str arguments; /* JSON, whole but for secrets */
    struct str user_id, client_id, policy_version, rule, reason;
    int64_t cost_ceiling_bytes;
    int64_t created_ms, expires_ms; /* wall */
    struct str decided_by, note;    /* of an approver; empty while pending */
    int64_t decided_ms;
    uint64_t version; /* in the store */
};

/* The open request for these terms (pending, approved or rejected), or a new one. */
MUST_USE result approval_request(struct store *store, const struct clock *clock,
                                 const struct approval_settings *settings,
                                 const struct approval_terms *terms, struct arena *arena,
                                 struct approval *out, struct report *report);

/* Uses an approved one up. *is_ours is false when another call was first, or it is not approved. */
MUST_USE result approval_use(struct store *store, const struct clock *clock,
                             struct approval *approval, struct arena *arena, bool *is_ours,
                             struct report *report);

MUST_USE result approval_find(struct store *store, struct str id, struct arena *arena,
                              struct approval *out, struct report *report);

/* Those that still live, newest first, at most APPROVALS_LISTED_MAX. */
MUST_USE result approval_list(struct store *store, struct arena *arena, struct approval **out,
                              size_t *n, struct report *report);

bool approval_may_decide(const struct approval_settings *settings,
                         const struct principal *approver);

/* May this person decide on it now? Nobody decides on a call of his own. */
MUST_USE result approval_judge(const struct approval_settings *settings,
                               const struct approval *approval, const struct principal *approver,
                               struct report *report);

/* Says yes or no, as approval_judge() allows. `note` is for the one who asked; at most
 * APPROVAL_NOTE_BYTES_MAX, else it is clipped. `approval` is as approval_find() gave it, and is
 * changed to what it has become. */
MUST_USE result approval_decide(struct store *store, const struct clock *clock,
                                const struct approval_settings *settings, struct approval *approval,
                                const struct principal *approver, bool is_yes, struct str note,
                                struct arena *arena, struct report *report);

/* One JSON object, for people: times in UTC, null where there is none. */
void approval_put(struct json_writer *w, const struct approval *approval);

#endif
